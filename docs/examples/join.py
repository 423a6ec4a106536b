import asyncio
import sys

from livekit import rtc


def heard(sent: rtc.DataPacket) -> None:
    print(sent.participant.identity if sent.participant else "somebody", "says", sent.data.decode(), flush=True)


async def main(url: str, token: str) -> None:
    room = rtc.Room()
    room.on("participant_connected", lambda person: print(person.identity, "is here", flush=True))
    room.on("data_received", heard)
    await room.connect(url, token)
    print("joined", room.name, flush=True)
    while True:
        await room.local_participant.publish_data("hello from Python")
        await asyncio.sleep(2)


asyncio.run(main(*sys.argv[1:]))
