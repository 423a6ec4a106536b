"""Verify one export of an audit log (JSON Lines) with nothing of Pulse and nothing but Python 3.11's standard library.

    python3 verify_audit_export.py FILE [--checkpoint FILE] [--key PUBLIC_KEY]

It says whether every entry is as it was written and follows on the one before. Of a filtered export only the first can
be said, for its gaps are the filter's. With a checkpoint (a line that was mailed, or the file's own last line) it also
says whether the log still is the one of then. Give the installation's public key, from a place you trust: without it
the key in the checkpoint itself is used, which anybody can make. It ends with 1 where something does not fit.
"""

import argparse
import datetime as dt
import hashlib
import json
import struct
import sys
from pathlib import Path

GENESIS = "0" * 64
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ORDER = ("id", "version", "org_id", "at", "actor", "action", "resource", "status", "ip", "user_agent")
ORDER += ("request_id", "changes", "marks", "sequence", "previous")
STATES = ("sequence", "hash", "from_sequence", "from_hash", "unchained", "at")


def canonical(form):
    """Sorted names, no blanks, UTF-8."""
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def hashed(entry):
    """The bytes that an entry's hash is over: form 1 is JSON, form 2 is BSON in the order of ORDER."""
    if entry["version"] == 1:
        return canonical(entry)
    if entry["version"] != 2 or set(entry) != set(ORDER):
        raise ValueError("no form that is known")
    moment = dt.datetime.fromisoformat(entry["at"])
    at = (moment - EPOCH) // dt.timedelta(milliseconds=1)
    written = {"at": b"\x09at\0" + struct.pack("<q", at), "id": element("_id", entry["id"])}
    return b"".join([written.get(name) or element(name, entry[name]) for name in ORDER])


def element(name, value):
    """A value under its name in BSON (bsonspec.org), names further inside sorted."""
    named = name.encode("utf-8", "surrogatepass") + b"\0"
    if value is None:
        return b"\x0a" + named
    if isinstance(value, bool):
        return b"\x08" + named + bytes([value])
    if isinstance(value, int):
        small = -(2**31) <= value < 2**31
        return (b"\x10" if small else b"\x12") + named + struct.pack("<i" if small else "<q", value)
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass") + b"\0"
        return b"\x02" + named + struct.pack("<i", len(text)) + text
    pairs = sorted(value.items()) if isinstance(value, dict) else [(str(i), each) for i, each in enumerate(value)]
    inside = b"".join([element(*pair) for pair in pairs])
    return (
        (b"\x03" if isinstance(value, dict) else b"\x04") + named + struct.pack("<i", len(inside) + 5) + inside + b"\0"
    )


def verify(lines, checkpoints, key):
    """Sentences on what does not fit, and what was looked at in words."""
    wrong, places, unchained = [], {}, 0
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            if "checkpoint" in entry:
                checkpoints.append(entry["checkpoint"])
                continue
            claimed, place = entry.pop("hash"), entry["sequence"]
            found = None if place is None else hashlib.sha256(hashed(entry)).hexdigest()
        except (ValueError, KeyError, TypeError, AttributeError, struct.error):
            wrong.append(f"Line {number} is no entry.")
            continue
        if place is None:
            unchained += 1
        elif found != claimed:
            wrong.append(f"Entry {place} ({entry.get('id')}) was changed after it was written.")
        elif place in places:
            wrong.append(f"Entry {place} is there twice.")
        else:
            places[place] = (entry["org_id"], entry["previous"], claimed)
    before, gaps = None, 0
    for place in sorted(places):
        if place - 1 in places and places[place][1] != places[place - 1][2]:
            wrong.append(f"Entry {place} does not follow on the one before.")
        if place == 1 and places[place][1] != GENESIS:
            wrong.append("Entry 1 does not begin the chain.")
        gaps += before is not None and place != before + 1
        before = place
    if len({organization for organization, _, _ in places.values()}) > 1:
        wrong.append("The file holds entries of several organizations; export one at a time.")
    for checkpoint in checkpoints:
        wrong += against(checkpoint, places, key)
    words = f"{len(places):,} entries fit" + (f", with {gaps:,} gaps (a filtered export has them)" if gaps else "")
    return wrong, words + (f"; {unchained:,} are older than the chain" if unchained else "")


def against(checkpoint, places, key):
    """What contradicts a checkpoint."""
    try:
        states = {name: checkpoint[name] for name in STATES}
        message = {**states, "version": 1, "chain": checkpoint["chain"], "what": "pulse audit checkpoint"}
        signed = ed25519(bytes.fromhex(key or checkpoint["key"]), canonical(message), checkpoint["signature"])
    except (ValueError, KeyError, TypeError):
        return ["A checkpoint is none."]
    if not signed:
        return ["A checkpoint was not signed with this key."]
    place, problems = checkpoint["sequence"], []
    if place in places and places[place][2] != checkpoint["hash"]:
        problems.append(f"Entry {place} is another one than when the checkpoint was made.")
    if any(organization != checkpoint["chain"] for organization, _, _ in places.values()):
        problems.append("A checkpoint is of another organization.")
    if places and max(places) < place and not problems:
        print(f"Note: the file ends at entry {max(places)}, the checkpoint stands at {place}.")
    return problems


# Ed25519 (RFC 8032, 5.1.7), slow and for verifying alone.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def ed25519(public, message, signature):
    """Whether the key signed the message."""
    raw = bytes.fromhex(signature)
    point, nonce = unpacked(public), unpacked(raw[:32])
    factor = int.from_bytes(raw[32:], "little")
    if len(raw) != 64 or point is None or nonce is None or factor >= Q:
        return False
    digest = int.from_bytes(hashlib.sha512(raw[:32] + public + message).digest(), "little") % Q
    base = unpacked((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    return same(times(factor, base), plus(nonce, times(digest, point)))


def unpacked(raw):
    """The point that 32 bytes stand for, in extended coordinates; None where there is none."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    if len(raw) != 32 or y >= P or (x * x - square) % P != 0 or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def plus(one, other):
    """The sum of two points."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor, point):
    """The point so many times."""
    total = (0, 1, 1, 0)
    while factor:
        total = plus(total, point) if factor & 1 else total
        point, factor = plus(point, point), factor >> 1
    return total


def same(one, other):
    """Whether two points are one."""
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def main(arguments):
    """Print what was found; answers the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--checkpoint", type=Path, help="a line that was mailed")
    parser.add_argument("--key", help="the public key, 64 hexadecimal digits")
    asked = parser.parse_args(arguments)
    try:
        given = [json.loads(asked.checkpoint.read_text("utf-8"))] if asked.checkpoint else []
        with asked.file.open(encoding="utf-8", errors="surrogatepass") as lines:
            wrong, words = verify(lines, given, asked.key)
    except (OSError, ValueError) as error:
        print(f"It cannot be read: {error}")
        return 1
    for sentence in wrong[:20]:
        print(sentence)
    if not wrong:
        print(f"{words}. {len(given):,} checkpoints fit." + ("" if asked.key or not given else " (Key not given.)"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
