/* Saving long strings, see string_save.h. */
#include "storage/string_save.h"

#include "base/mem.h"

static size_t pieces_of(size_t len)
{
    return (len + STRING_PIECE - 1) / STRING_PIECE;
}

static size_t piece_len(const struct string_save *s, size_t piece)
{
    size_t left = s->len - piece * STRING_PIECE;

    return left < STRING_PIECE ? left : STRING_PIECE;
}

static size_t keep(struct string_save *s, const struct blob *b, size_t piece)
{
    size_t len = piece_len(s, piece);

    if (s->kept[piece])
        return 0;
    s->kept[piece] = mem_alloc(len);
    memcpy(s->kept[piece], b->data + piece * STRING_PIECE, len);
    return len;
}

size_t string_save_first(struct string_save *s, const struct blob *b, size_t at, size_t len)
{
    size_t end = at + len < s->len ? at + len : s->len, kept = 0;

    at = at > s->next ? at : s->next;
    if (at >= end)
        return 0;
    if (!s->kept)
        s->kept = mem_zalloc(pieces_of(s->len) * sizeof(*s->kept));
    for (size_t piece = at / STRING_PIECE; piece * STRING_PIECE < end; piece++)
        kept += keep(s, b, piece);
    return kept;
}

size_t string_save_take(struct string_save *s, const struct blob *b, struct buf *out)
{
    size_t piece = s->next / STRING_PIECE, len = piece_len(s, piece);
    char *kept = s->kept ? s->kept[piece] : NULL;

    buf_append(out, kept ? kept : b->data + s->next, len);
    s->next += len;
    if (!kept)
        return 0;
    mem_free(kept);
    s->kept[piece] = NULL;
    return len;
}

size_t string_save_release(struct string_save *s)
{
    size_t kept = 0;

    for (size_t piece = 0; s->kept && piece < pieces_of(s->len); piece++) {
        kept += s->kept[piece] ? piece_len(s, piece) : 0;
        mem_free(s->kept[piece]);
    }
    mem_free(s->kept);
    return kept;
}
