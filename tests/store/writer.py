"""A process that writes until it is killed, and says each write only after the store has acknowledged it.

python -m tests.store.writer FOLDER ROUND
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pulse_dash.store.catalog import BY_NAME
from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.engine import DuplicateKey, Update
from tests.store.things import THINGS, a_thing


async def write(folder: Path, round_: str) -> None:
    engine = await EmbeddedEngine.open(folder, "pulse", (THINGS, BY_NAME["meta"]))
    await engine.prepare()
    things = engine.collection("things")
    counter = {"$inc": {"size": 1}, "$setOnInsert": {"name": "counter"}}

    async def work(worker: int) -> None:
        number = 0
        while True:
            number += 1
            name = f"{round_}_{worker}_{number}"
            await things.insert_one(a_thing(f"won_{name}", label=name, name=name))
            say("won", name)
            try:
                await things.insert_one(a_thing(f"lost_{name}", label=name, name=f"lost_{name}"))
            except DuplicateKey:
                say("lost", name)
            await things.update_one({"_id": "counter"}, counter, upsert=True)
            say("counted", name)
            both = [Update({"_id": f"won_{name}"}, {"$set": {"size": 1}}), Update({"_id": "counter"}, counter)]
            await things.bulk_write(both)
            say("sized", name)

    await asyncio.gather(*(work(worker) for worker in range(4)))


def say(what: str, name: str) -> None:
    sys.stdout.write(f"{what} {name}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2]))
