/*
 * Any bytes as a file of the log of changes: nothing is read beyond them; what is found sound can
 * be gone over request by request to its end, and is found sound again when it stands alone; what
 * follows a damage begins behind it. The first byte chooses: the bytes as they are; with seals that
 * fit within them and behind them, and some of them twice; as a manifest.
 */
#include "base/mem.h"
#include "storage/log/log_check.h"
#include "storage/log/manifest.h"
#include "storage/log/records.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool what)
{
    if (!what)
        abort();
}

static void go_over(struct slice bytes, size_t from, size_t to)
{
    struct log_cursor c = {.bytes = slice_make(bytes.ptr, to), .pos = from};
    struct buf arg = {0};
    enum log_item what;

    while ((what = log_next(&c)) == LOG_REQUEST || what == LOG_LINE) {
        struct slice line = c.line;

        for (int i = 0; what == LOG_REQUEST && i < c.argc; i++)
            buf_append_slice(&arg, c.argv[i]);
        while (what == LOG_LINE && line.len && note_next_arg(&line, &arg))
            ;
        arg.len = 0;
    }
    expect(what == LOG_END && c.pos == to);
    buf_release(&arg);
    log_cursor_release(&c);
}

static void check_log(struct slice bytes)
{
    struct log_check check, again;

    log_check(bytes, 0, &check);
    expect(check.good <= bytes.len);
    expect(check.verdict != LOG_SOUND || check.good == bytes.len);
    go_over(bytes, 0, check.good);
    log_check(slice_make(bytes.ptr, check.good), 0, &again);
    expect(again.verdict == LOG_SOUND && again.good == check.good && again.seq == check.seq);
    if (check.verdict == LOG_DAMAGED)
        expect(check.resume > check.good && check.resume < bytes.len);
}

/* Halves with seals, and the first once more. */
static void seal(struct buf *b, struct slice bytes)
{
    struct slice half = slice_make(bytes.ptr, bytes.len / 2);
    struct log_seal s = {.seq = 7};

    buf_append_slice(b, half);
    log_seal_put(b, &s, half);
    s = (struct log_seal){.seq = 9, .synced = b->len, .db = 1};
    buf_append(b, bytes.ptr + half.len, bytes.len - half.len);
    log_seal_put(b, &s, slice_make(bytes.ptr + half.len, bytes.len - half.len));
    s = (struct log_seal){.seq = 12, .synced = b->len};
    buf_append_slice(b, half);
    log_seal_put(b, &s, half);
}

static void check_manifest(struct slice text)
{
    struct manifest m, again;
    struct buf out = {0}, why = {0};

    if (manifest_parse(&m, text, &why)) {
        manifest_format(&m, &out);
        expect(manifest_parse(&again, buf_slice(&out), &why) && again.len == m.len);
        manifest_release(&again);
    }
    manifest_release(&m);
    buf_release(&out);
    buf_release(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b = {0};
    char *bytes;

    if (!size)
        return 0;
    if (data[0] % 4 == 1)
        seal(&b, slice_make((const char *)data + 1, size - 1));
    else
        buf_append_slice(&b, slice_make((const char *)data + 1, size - 1));
    bytes = mem_alloc(b.len + 1);
    bytes = mem_realloc(bytes, b.len ? b.len : 1);
    if (b.len)
        memcpy(bytes, b.ptr, b.len); /* to the byte, for the address sanitizer */
    if (data[0] % 4 == 2)
        check_manifest(slice_make(bytes, b.len));
    else
        check_log(slice_make(bytes, b.len));
    mem_free(bytes);
    buf_release(&b);
    return 0;
}
