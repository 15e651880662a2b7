/* storage/entry: what is put into an entry comes out, whatever is done to it in between. */
#include "storage/entry.h"

#include "base/mem.h"
#include "storage/hash.h"
#include "storage/string.h"
#include "tests/lib/tap.h"

enum { LONGEST = 70000 };

static const size_t key_lens[] = {0, 1, 7, 16, 254, 255, 256, 300, LONGEST};
static const size_t value_lens[] = {0, 1, 8, 44, 45, 1000, 1700, 2020, 2030, 2048, 2049, LONGEST};
static const int64_t expiries[] = {EXPIRY_NONE, 0, 1, 1700000000000, EXPIRY_NONE - 1};

static char keys[LONGEST], values[LONGEST];

static struct slice key_of(size_t len)
{
    return slice_make(keys, len);
}

/* What an entry is to be. */
struct wish {
    struct slice key, value;
    int64_t expiry;
};

static const char *wrong_entry(const struct entry *e, const struct wish *w)
{
    char digits[NUM_INT_MAX];

    if (!slice_eq(entry_key(e), w->key) || !entry_is(e, w->key))
        return "the key";
    if (entry_expiry(e) != w->expiry || e->has_expiry != (w->expiry != EXPIRY_NONE))
        return "the expiry";
    if (!slice_eq(string_value(e, digits), w->value) || string_len(e) != w->value.len)
        return "the value";
    if (entry_hash(e) != hash_bytes(w->key))
        return "the hash";
    if (mem_size_of(e) < entry_size(e) || mem_size_of(e) > mem_good_size(entry_size(e)))
        return "the size";
    if (entry_memory(e, 0) < w->key.len + (e->form == FORM_INT ? 8 : w->value.len))
        return "the memory";
    return "";
}

/* Through all that can be done to an entry. */
static const char *wrong_life(struct entry *e, struct wish w)
{
    struct slice other = w.key.len ? slice_make(w.key.ptr, w.key.len - 1) : SLICE("other");
    const char *wrong = wrong_entry(e, &w);
    struct entry *copy;

    e->version = 12345;
    e->access_or_member = 67890;
    if (*wrong)
        return wrong;
    if (entry_is(e, other))
        return "it takes another key for its own";
    for (size_t i = 0; i < COUNT_OF(expiries) && !*wrong; i++) {
        w.expiry = expiries[i];
        e = entry_set_expiry(e, w.expiry);
        wrong = wrong_entry(e, &w);
        copy = entry_copy(e, other, w.expiry);
        w.key = other;
        e = entry_rename(e, other);
        wrong = *wrong ? wrong : wrong_entry(e, &w);
        wrong = *wrong ? wrong : wrong_entry(copy, &w);
        other = key_of(i * 100);
        entry_free(copy);
    }
    if (!*wrong && (e->version != 12345 || e->access_or_member != 67890))
        wrong = "version and access";
    entry_free(e);
    return wrong;
}

static void test_strings(void)
{
    const char *wrong = "";
    size_t before = mem_used();

    for (size_t k = 0; k < COUNT_OF(key_lens) && !*wrong; k++) {
        for (size_t v = 0; v < COUNT_OF(value_lens) && !*wrong; v++) {
            for (size_t x = 0; x < COUNT_OF(expiries) && !*wrong; x++) {
                struct wish w = {key_of(key_lens[k]), slice_make(values, value_lens[v]),
                                 expiries[x]};

                wrong = wrong_life(entry_new_string(w.key, w.value, w.expiry, true), w);
                if (*wrong)
                    diag("key of %zu, value of %zu bytes", key_lens[k], value_lens[v]);
            }
        }
    }
    is_str(wrong, "", "strings");
    ok(mem_used() == before, "strings give their memory back");
}

static void test_integers(void)
{
    static const struct {
        const char *text;
        enum form form;
    } cases[] = {
        {"0", FORM_INT},
        {"-1", FORM_INT},
        {"9223372036854775807", FORM_INT},
        {"-9223372036854775808", FORM_INT},
        {"9223372036854775808", FORM_INLINE},
        {"-0", FORM_INLINE},
        {"+1", FORM_INLINE},
        {"01", FORM_INLINE},
        {" 1", FORM_INLINE},
        {"", FORM_INLINE},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct wish w = {SLICE("key"), slice_str(cases[i].text), EXPIRY_NONE};
        struct entry *e = entry_new_string(w.key, w.value, w.expiry, true);

        is_int(e->form, cases[i].form, "the form of '%s'", cases[i].text);
        is_str(wrong_life(e, w), "", "'%s'", cases[i].text);
        e = entry_new_string(w.key, w.value, w.expiry, false);
        is_int(e->form, FORM_INLINE, "'%s' not as a number", cases[i].text);
        entry_free(e);
    }
}

/* "raw" of strings, and whether a number is shared, are told by one bit. */
static void test_raw(void)
{
    struct entry *e = entry_new_int(SLICE("k"), 5, EXPIRY_NONE), *copy;

    copy = entry_copy(e, SLICE("c"), EXPIRY_NONE);
    ok(!e->raw && copy->raw, "a copied number is one of its own");
    copy = entry_rename(copy, SLICE("d"));
    ok(copy->raw, "under another name too");
    string_overwrite_int(copy, 6);
    ok(!copy->raw, "until it is another number");
    entry_free(copy);
    entry_free(e);
    e = entry_new_string(SLICE("k"), SLICE("short"), EXPIRY_NONE, true);
    is_str(string_encoding(e), "embstr", "a short string");
    e->raw = 1;
    copy = entry_copy(e, SLICE("c"), EXPIRY_NONE);
    is_str(string_encoding(copy), "raw", "the copy of an edited one");
    entry_free(copy);
    entry_free(e);
}

static void test_expired(void)
{
    struct entry *e = entry_new_int(SLICE("k"), 5, 1000);

    ok(!entry_expired(e, 999), "not expired a moment before its time");
    ok(entry_expired(e, 1000), "expired when it has come");
    e = entry_set_expiry(e, EXPIRY_NONE);
    ok(!entry_expired(e, EXPIRY_NONE), "never without one");
    entry_free(e);
}

int main(void)
{
    hash_init(42);
    for (size_t i = 0; i < LONGEST; i++) {
        keys[i] = (char)(i * 31 + i / 251);
        values[i] = (char)(i * 17 + i / 241 + 1);
    }
    test_strings();
    test_integers();
    test_raw();
    test_expired();
    return tap_done();
}
