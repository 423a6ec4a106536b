"""People in a real room, with LiveKit's own client: they speak a tone, listen, send words, and are put out.

What they may do is written in the token that each joins with.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc

WITHIN = 15.0
RATE = 48_000
SAMPLES = RATE // 50  # 20 ms
LOUD = 1_000  # of 32,767; a tone of 12,000 is sent


class Guest:
    """Somebody who is in a room."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.words: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.arrived: asyncio.Queue[rtc.Track] = asyncio.Queue()
        self.refreshed = asyncio.Event()
        self.put_out = asyncio.Event()
        self._speaking: asyncio.Task[None] | None = None
        self.room.on("data_received", self._on_words)
        self.room.on("track_subscribed", lambda track, *_: self.arrived.put_nowait(track))
        self.room.on("token_refreshed", lambda *_: self.refreshed.set())
        self.room.on("disconnected", lambda *_: self.put_out.set())

    @property
    def token(self) -> str:
        """The token that the client would come back with, which LiveKit has renewed by now or not."""
        return self.room._token or ""

    async def speak(self) -> rtc.LocalTrackPublication:
        """Publish a microphone with a tone of 440 Hz; raises when LiveKit refuses it."""
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        published = await asyncio.wait_for(self.room.local_participant.publish_track(track, options), WITHIN)
        self._speaking = asyncio.create_task(_tone(source))
        return published

    async def hears(self) -> bool:
        """Whether a tone of somebody else arrives, as sound and not as silence."""
        async with asyncio.timeout(WITHIN):
            stream = rtc.AudioStream(await self.arrived.get())
            try:
                async for event in stream:
                    if max(map(abs, event.frame.data), default=0) > LOUD:
                        return True
            finally:
                await stream.aclose()
        return False

    async def hears_nothing(self, seconds: float = 1.5) -> bool:
        """Whether nothing is offered for a while."""
        await asyncio.sleep(seconds)
        return self.arrived.empty()

    async def reads(self) -> tuple[str, bytes]:
        """The next words, and who sent them."""
        return await asyncio.wait_for(self.words.get(), WITHIN)

    async def leave(self) -> None:
        """Go, whatever happened before."""
        if self._speaking is not None:
            self._speaking.cancel()
        await self.room.disconnect()

    def _on_words(self, packet: rtc.DataPacket) -> None:
        self.words.put_nowait((packet.participant.identity if packet.participant else "", packet.data))


@asynccontextmanager
async def joined(minted: Mapping[str, Any]) -> AsyncIterator[Guest]:
    """In the room while the block runs; raises rtc.ConnectError when LiveKit refuses the token."""
    guest = Guest()
    try:
        await asyncio.wait_for(guest.room.connect(minted["url"], minted["token"]), WITHIN)
        yield guest
    finally:
        await guest.leave()


async def _tone(source: rtc.AudioSource) -> None:
    wave = [int(12_000 * math.sin(math.tau * 440 * at / RATE)) for at in range(RATE)]
    start = 0
    while True:
        data = struct.pack(f"<{SAMPLES}h", *wave[start : start + SAMPLES])
        await source.capture_frame(rtc.AudioFrame(data, RATE, 1, SAMPLES))
        start = (start + SAMPLES) % RATE
