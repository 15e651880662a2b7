/* CRC-32C (Castagnoli), in hardware where the processor has it. Any thread. */
#ifndef LK_STORAGE_LOG_CRC32C_H
#define LK_STORAGE_LOG_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, which is that of the bytes before; 0 at first. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
/* The same without the processor's help, for tests. */
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len);

#endif
