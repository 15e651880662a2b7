/* CRC-32C, see crc32c.h. */
#include "storage/log/crc32c.h"

#include "base/compiler.h"

#include <pthread.h>
#include <string.h>

static const uint32_t polynomial = 0x82f63b78; /* bits reflected */

static uint32_t table[256];
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void make_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        table[i] = crc;
    }
}

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    pthread_once(&table_made, make_table);
    crc = ~crc;
    for (size_t i = 0; i < len; i++)
        crc = crc >> 8 ^ table[(crc ^ at[i]) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t crc, const void *bytes,
                                                               size_t len)
{
    const unsigned char *at = bytes;
    uint64_t wide = ~crc, eight;
    uint32_t narrow;

    for (; len >= 8; len -= 8, at += 8) {
        memcpy(&eight, at, 8);
        wide = __builtin_ia32_crc32di(wide, eight);
    }
    narrow = (uint32_t)wide;
    for (; len; len--, at++)
        narrow = __builtin_ia32_crc32qi(narrow, *at);
    return ~narrow;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    if (LIKELY(__builtin_cpu_supports("sse4.2")))
        return by_processor(crc, bytes, len);
    return crc32c_by_table(crc, bytes, len);
}
#else
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    return crc32c_by_table(crc, bytes, len);
}
#endif
