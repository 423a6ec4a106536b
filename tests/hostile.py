"""What tenants call things when they mean harm, or when their language is not ours: one table for every name there is.

`NAMES` are taken as they are and shown as text; `REFUSED` cannot be names, whatever they would name.
"""

from __future__ import annotations

from typing import Final

_LONG: Final = 128

NAMES: Final[dict[str, str]] = {
    # Markup and what would break out of it.
    "script": "<script>window.pwned=1</script>",
    "image": "<img src=x onerror=window.pwned=1>",
    "svg": "<svg/onload=window.pwned=1>",
    "attribute": '" autofocus onfocus="window.pwned=1" x="',
    "single quotes": "' onmouseover='window.pwned=1",
    "closing tags": "</title></textarea></script></style><b>bold",
    "comment": "<!-- --><!--[if IE]>",
    "cdata": "]]><x/>",
    "entity": "&lt;b&gt;&#x3C;i&#x3E;&amp;nbsp;",
    "address": "javascript:window.pwned=1//",
    "link": "[click](javascript:window.pwned=1)",
    "bold markdown": "**bold** _it_ `code` # head",
    # Templates, queries, shells, formats.
    "braces": "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "python format": "{0} {name} %s %(name)s %n",
    "sql": "'; DROP TABLE projects; --",
    "mongo": '{"$gt": ""}',
    "dollar": "$where",
    "dot": "a.b.$[].c",
    "shell": "$(touch /tmp/x) `id` | ; &",
    "path": "../../../etc/passwd",
    "slash": "a/b\\c//",
    "percent": "%2e%2e%2f%00%0d%0a",
    "query": "a?b=c&d=e#f",
    "json": '","role":"owner","x":"',
    "backslash": "\\u0000\\x1b[31m\\r\\n",
    # What a spreadsheet would run.
    "equals": "=1+1",
    "plus": "+1+1",
    "minus": "-1+1",
    "at": "@SUM(1)",
    "call": '=HYPERLINK("http://evil.example","x")',
    "full-width equals": "＝1+1",
    "full-width at": "＠SUM(1)",
    "comma and quote": 'a,"b";c',
    # Directions, and letters that show nothing.
    "right to left override": "dnE\u202egnp.exe",
    "unclosed isolate": "\u2067\u2067abc",
    "embedding": "\u202b\u202babc (1)",
    "hebrew": "פרויקט 12 (ab)",
    "arabic": "مشروع 34، ١٢",
    "zero width": "a\u200bb\u200cc\u200dd\ufeffe",
    "soft hyphen": "soft\u00adhyphen",
    "line separator": "a\u2028b\u2029c",
    # Letters of more bytes than one would think.
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈",
    "four bytes": "𝕏𝒫𝓊𝓁𝓈𝑒",
    "look-alike": "Рulsе",
    "combining": "Z̷̡͉͊a̴͇͝l̸̙̈g̵̪͛o̶͎̓" + "\u0301" * 40,
    "turkish": "İstanbul ıI ß ﬀ",
    "chinese": "直播课堂",
    # Width.
    "unbroken": "W" * _LONG,
    "unbroken wide": "漢" * 66,
    "many words": "a " * 63 + "b",
    "null": "null",
}

# Given with what a log, a header, a terminal or a document would take for its own.
REFUSED: Final[dict[str, str]] = {
    "nul": "a\x00b",
    "escape": "a\x1b[31mred\x1b[0m",
    "new line": "a\r\nSet-Cookie: x=1",
    "line feed": "a\nb",
    "tab": "a\tb",
    "backspace": "abc\x08\x08\x08",
    "delete": "a\x7fb",
    "c1": "a\x9bb",
    "next line": "a\x85b",
    "half a pair": "a\ud800b",
    "nothing": "",
    "only blanks": "   ",
    "only wide blanks": "\u3000\u2003",
    "only a joiner": "\u200d",
    "only a filler": "\u3164\u2800",
    "only an override": "\u202e",
    "too long": "x" * (_LONG + 1),
}
