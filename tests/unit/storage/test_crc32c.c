/* storage/log/crc32c: known checksums, and both ways of getting at them. */
#include "storage/log/crc32c.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

#include <string.h>

static void test_vectors(void)
{
    unsigned char bytes[32];

    is_int(crc32c(0, "", 0), 0, "nothing");
    is_int(crc32c(0, "123456789", 9), 0xe3069283, "the digits");
    memset(bytes, 0, sizeof(bytes));
    is_int(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa, "32 zeros (RFC 3720)");
    memset(bytes, 0xff, sizeof(bytes));
    is_int(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43, "32 ones");
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    is_int(crc32c(0, bytes, sizeof(bytes)), 0x46dd794e, "32 that grow");
}

static void test_both(void)
{
    unsigned char bytes[300];
    int same = 0, joined = 0;

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)rng_below(256);
    for (unsigned len = 0; len < sizeof(bytes); len++) {
        unsigned cut = (unsigned)rng_below(len + 1);
        uint32_t crc = crc32c(0, bytes, len);

        same += crc == crc32c_by_table(0, bytes, len);
        joined += crc == crc32c(crc32c(0, bytes, cut), bytes + cut, len - cut);
    }
    is_int(same, sizeof(bytes), "the processor and the table agree on all lengths");
    is_int(joined, sizeof(bytes), "it can be computed in parts");
}

int main(void)
{
    rng_seed(20260102);
    test_vectors();
    test_both();
    return tap_done();
}
