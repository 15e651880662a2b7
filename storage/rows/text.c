/* Text and what is none, see text.h. */
#include "storage/rows/text.h"

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

/* Bytes that a character beginning with this one has; 0 if none begins so. */
static size_t length_of(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return 2;
    return first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* The second byte excludes what is too long, surrogates, and what is above U+10FFFF. */
static bool fits_first(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

static bool is_character(const uint8_t *at, size_t n)
{
    if (n == 1)
        return *at != 0;
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return false;
    }
    return fits_first(at[0], at[1]);
}

bool text_is_valid(struct slice s)
{
    const uint8_t *at = (const uint8_t *)s.ptr, *end = at + s.len;

    while (at < end) {
        size_t n = length_of(*at);

        if (!n || n > (size_t)(end - at) || !is_character(at, n))
            return false;
        at += n;
    }
    return true;
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_put_base64(struct buf *out, struct slice bytes)
{
    const uint8_t *from = (const uint8_t *)bytes.ptr;
    char *to = buf_reserve(out, (bytes.len + 2) / 3 * 4);

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t v = (uint32_t)from[i] << 16;

        if (left > 1)
            v |= (uint32_t)from[i + 1] << 8;
        if (left > 2)
            v |= from[i + 2];
        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = left > 1 ? digits[v >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[v & 63] : '=';
    }
    out->len += (bytes.len + 2) / 3 * 4;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t padding(struct slice text)
{
    if (!text.len || text.ptr[text.len - 1] != '=')
        return 0;
    return text.ptr[text.len - 2] == '=' ? 2 : 1;
}

bool text_get_base64(struct slice text, struct buf *out)
{
    size_t pad, was = out->len;
    uint32_t v = 0;

    if (text.len % 4)
        return false;
    pad = padding(text);
    buf_reserve(out, text.len / 4 * 3 + 1);
    for (size_t i = 0; i < text.len; i++) {
        int d = i >= text.len - pad ? 0 : digit_value(text.ptr[i]);

        if (d < 0) {
            out->len = was;
            return false;
        }
        v = v << 6 | (uint32_t)d;
        if (i % 4 != 3)
            continue;
        out->ptr[out->len++] = (char)(v >> 16);
        out->ptr[out->len++] = (char)(v >> 8);
        out->ptr[out->len++] = (char)v;
        v = 0;
    }
    out->len -= pad;
    return true;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_escape(struct buf *out, char c)
{
    static const char *const names = "btn.fr"; /* of the characters from 8 on */

    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else if (c >= 8 && c <= 13 && c != 11)
        buf_printf(out, "\\%c", names[c - 8]);
    else
        buf_printf(out, "\\u%04x", (unsigned)(uint8_t)c);
}

void text_put_json(struct buf *out, struct slice text)
{
    size_t from = 0;

    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (LIKELY((uint8_t)c >= ' ' && c != '"' && c != '\\'))
            continue;
        buf_append(out, text.ptr + from, i - from);
        put_escape(out, c);
        from = i + 1;
    }
    buf_append(out, text.ptr + from, text.len - from);
    buf_append_char(out, '"');
}
