/* base/slice: whether runs of bytes are the same, for every length and place of a difference. */
#include "base/slice.h"

#include "tests/lib/tap.h"

enum { LEN_MAX = 70 };

static bool tells_all(size_t len)
{
    char a[LEN_MAX + 2], b[LEN_MAX + 2];

    memset(a, 'x', sizeof(a));
    memset(b, 'x', sizeof(b));
    a[0] = 1; /* around the run everything is different */
    b[0] = 2;
    a[len + 1] = 3;
    b[len + 1] = 4;
    if (!bytes_eq(a + 1, b + 1, len))
        return false;
    for (size_t i = 1; i <= len; i++) {
        b[i] = 'y';
        if (bytes_eq(a + 1, b + 1, len))
            return false;
        b[i] = 'x';
    }
    return true;
}

int main(void)
{
    for (size_t len = 0; len <= LEN_MAX; len++)
        ok(tells_all(len), "runs of %zu bytes", len);
    return tap_done();
}
