/*
 * The checksum of snapshots: CRC-64 by the polynomial of Jones, bits reflected, begun with 0 and
 * not inverted at the end. Eight bytes at a time.
 */
#ifndef LK_STORAGE_RDB_CRC64_H
#define LK_STORAGE_RDB_CRC64_H

#include "base/slice.h"

/* Goes on from `crc`, which is that of the bytes before; 0 at first. Any thread. */
uint64_t crc64(uint64_t crc, const void *bytes, size_t len);

#endif
