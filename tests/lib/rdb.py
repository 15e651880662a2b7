"""Snapshots made by hand: values in every encoding that there ever was, written from what is known
of the format, and not by either server."""

import struct

# ---- parts ---------------------------------------------------------------------------------------


def length(n):
    if n < 64:
        return bytes([n])
    if n < 16384:
        return bytes([0x40 | n >> 8, n & 0xff])
    return b"\x80" + struct.pack(">I", n) if n < 1 << 32 else b"\x81" + struct.pack(">Q", n)


def string(text):
    text = text if isinstance(text, bytes) else str(text).encode()
    return length(len(text)) + text


def number(n):
    """A string that is a number, as a number."""
    for mark, form, bits in ((0xc0, "<b", 8), (0xc1, "<h", 16), (0xc2, "<i", 32)):
        if -1 << bits - 1 <= n < 1 << bits - 1:
            return bytes([mark]) + struct.pack(form, n)
    raise ValueError(n)


def compressed(text):
    """LZF, with one reference to what was just before, for a text of one byte over and over."""
    packed = bytes([0]) + text[:1]
    left = len(text) - 1
    while left >= 3:
        n = min(left, 264)
        packed += bytes([(n - 2) << 5, 0]) if n < 9 else bytes([7 << 5, n - 9, 0])
        left -= n
    for byte in text[len(text) - left:]:
        packed += bytes([0, byte])
    return b"\xc3" + length(len(packed)) + length(len(text)) + packed


CRC_TABLE = []
for _i in range(256):
    _crc = _i
    for _ in range(8):
        _crc = _crc >> 1 ^ (0x95ac9329ac4bc9b5 if _crc & 1 else 0)
    CRC_TABLE.append(_crc)


def crc64(data):
    crc = 0
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ crc >> 8
    return crc


# ---- packed elements -----------------------------------------------------------------------------


def ziplist_entry(item, before):
    head = bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)
    if isinstance(item, int):
        if 0 <= item <= 12:
            return head + bytes([0xf1 + item])
        for mark, form, bits in ((0xfe, "<b", 8), (0xc0, "<h", 16), (0xf0, None, 24),
                                 (0xd0, "<i", 32), (0xe0, "<q", 64)):
            if -1 << bits - 1 <= item < 1 << bits - 1:
                body = struct.pack(form, item) if form else struct.pack("<i", item)[:3]
                return head + bytes([mark]) + body
    item = item.encode() if isinstance(item, str) else item
    n = len(item)
    if n < 64:
        return head + bytes([n]) + item
    if n < 16384:
        return head + bytes([0x40 | n >> 8, n & 0xff]) + item
    return head + b"\x80" + struct.pack(">I", n) + item


def ziplist(items):
    body, before, last = b"", 0, 0
    for item in items:
        entry = ziplist_entry(item, before)
        last, before = len(body), len(entry)
        body += entry
    return struct.pack("<IIH", 10 + len(body) + 1, 10 + last, len(items)) + body + b"\xff"


def back_length(n):
    """As it is read from its end: low bits last, and all but the first byte are marked."""
    out = bytes([n & 0x7f])
    while n > 0x7f:
        n >>= 7
        out = bytes([n & 0x7f, out[0] | 0x80]) + out[1:]
    return out


def listpack_entry(item):
    if isinstance(item, int):
        if 0 <= item < 128:
            out = bytes([item])
        elif -4096 <= item < 4096:
            out = bytes([0xc0 | (item & 0x1fff) >> 8, item & 0xff])
        else:
            for mark, form, bits in ((0xf1, "<h", 16), (0xf2, None, 24), (0xf3, "<i", 32),
                                     (0xf4, "<q", 64)):
                if -1 << bits - 1 <= item < 1 << bits - 1:
                    body = struct.pack(form, item) if form else struct.pack("<i", item)[:3]
                    out = bytes([mark]) + body
                    break
    else:
        item = item.encode() if isinstance(item, str) else item
        n = len(item)
        if n < 64:
            out = bytes([0x80 | n]) + item
        elif n < 4096:
            out = bytes([0xe0 | n >> 8, n & 0xff]) + item
        else:
            out = b"\xf0" + struct.pack("<I", n) + item
    return out + back_length(len(out))


def listpack(items):
    body = b"".join(listpack_entry(item) for item in items)
    return struct.pack("<IH", 6 + len(body) + 1, len(items)) + body + b"\xff"


def intset(numbers, form):
    width = struct.calcsize(form)
    return struct.pack("<II", width, len(numbers)) + b"".join(struct.pack(form, n)
                                                              for n in sorted(numbers))


def zipmap(pairs, spare=0):
    def size(n):
        return bytes([n]) if n < 254 else b"\xfe" + struct.pack("<I", n)
    out = bytes([min(len(pairs), 254)])
    for name, value in pairs:
        out += size(len(name)) + name + size(len(value)) + bytes([spare]) + value + b"\0" * spare
    return out + b"\xff"


# ---- files ---------------------------------------------------------------------------------------


def key(kind, name, payload):
    return bytes([kind]) + string(name) + payload


def aux(name, value):
    return b"\xfa" + string(name) + string(value)


def snapshot(version, body, checksum=None, magic=b"REDIS"):
    data = magic + str(version).encode().zfill(9 - len(magic)) + body + b"\xff"
    if version < 5:
        return data
    return data + struct.pack("<Q", crc64(data) if checksum is None else checksum)


def dumped(kind, payload, version=10):
    """What DUMP would have answered."""
    data = bytes([kind]) + payload + struct.pack("<H", version)
    return data + struct.pack("<Q", crc64(data))
