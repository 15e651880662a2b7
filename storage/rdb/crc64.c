/* CRC-64, see crc64.h. */
#include "storage/rdb/crc64.h"

#include <pthread.h>

enum { SLICES = 8 };

static const uint64_t POLYNOMIAL = 0x95ac9329ac4bc9b5; /* 0xad93d23594c935a9, reflected */

static uint64_t tables[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t crc = i;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][i] = crc;
    }
    for (int k = 1; k < SLICES; k++) {
        for (unsigned i = 0; i < 256; i++)
            tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xff];
    }
}

uint64_t crc64(uint64_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    pthread_once(&once, make_tables);
    for (; len >= SLICES; at += SLICES, len -= SLICES) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        crc ^= word;
        crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^ tables[5][crc >> 16 & 0xff] ^
              tables[4][crc >> 24 & 0xff] ^ tables[3][crc >> 32 & 0xff] ^
              tables[2][crc >> 40 & 0xff] ^ tables[1][crc >> 48 & 0xff] ^ tables[0][crc >> 56];
    }
    while (len--)
        crc = tables[0][(crc ^ *at++) & 0xff] ^ crc >> 8;
    return crc;
}
