/*
 * The format of snapshots (RDB), as far as reading and writing share it: the numbers of types and
 * marks, and how lengths begin. All numbers are little-endian unless it says otherwise.
 *
 *     "REDIS" "0010"   marks, keys …   RDB_EOF   checksum of all before (8)
 *     key:             [RDB_EXPIRY_MS (8)] [RDB_IDLE length | RDB_FREQ (1)] type (1) key value
 *     a length:        00nnnnnn | 01nnnnnn (1 more, big-endian) | 80 (4, big-endian) | 81 (8, the
 *                      same) | 11tttttt: no length, but a string in another form
 *     a string:        length, bytes; or one of enum rdb_string and what that says
 */
#ifndef LK_STORAGE_RDB_RDB_FORMAT_H
#define LK_STORAGE_RDB_RDB_FORMAT_H

enum {
    RDB_VERSION = 10,            /* that is written: what Redis 7.0 reads */
    RDB_VERSION_FIELD_TIME = 12, /* the first with fields that have times */
    RDB_VERSION_MAX = 12,        /* that is read */
    RDB_MAGIC_LEN = 9,
    RDB_CHECKSUM_LEN = 8,
};

enum rdb_type {
    RDB_STRING = 0,
    RDB_LIST = 1,
    RDB_SET = 2,
    RDB_ZSET = 3,
    RDB_HASH = 4,
    RDB_ZSET_2 = 5,
    RDB_MODULE = 6,
    RDB_MODULE_2 = 7,
    RDB_HASH_ZIPMAP = 9,
    RDB_LIST_ZIPLIST = 10,
    RDB_SET_INTSET = 11,
    RDB_ZSET_ZIPLIST = 12,
    RDB_HASH_ZIPLIST = 13,
    RDB_LIST_QUICKLIST = 14,
    RDB_STREAM = 15,
    RDB_HASH_LISTPACK = 16,
    RDB_ZSET_LISTPACK = 17,
    RDB_LIST_QUICKLIST_2 = 18,
    RDB_STREAM_2 = 19,
    RDB_SET_LISTPACK = 20,
    RDB_STREAM_3 = 21,
    RDB_HASH_TIMES_EARLY = 22, /* of candidates for 7.4: times as they are */
    RDB_HASH_LISTPACK_TIMES_EARLY = 23,
    RDB_HASH_TIMES = 24, /* times relative to the first of them */
    RDB_HASH_LISTPACK_TIMES = 25,
    RDB_TYPES,
};

enum rdb_mark {
    RDB_SLOT_INFO = 244,
    RDB_FUNCTION = 245,
    RDB_FUNCTION_EARLY = 246,
    RDB_MODULE_AUX = 247,
    RDB_IDLE = 248,
    RDB_FREQ = 249,
    RDB_AUX = 250,
    RDB_RESIZE_DB = 251,
    RDB_EXPIRY_MS = 252,
    RDB_EXPIRY_S = 253,
    RDB_SELECT_DB = 254,
    RDB_EOF = 255,
};

enum { RDB_LEN_6 = 0, RDB_LEN_14 = 0x40, RDB_LEN_32 = 0x80, RDB_LEN_64 = 0x81, RDB_OTHER = 0xc0 };

/* What stands in the place of a length, with RDB_OTHER. */
enum rdb_string { RDB_INT8, RDB_INT16, RDB_INT32, RDB_LZF };

/* What a node of a list is. */
enum rdb_node { RDB_NODE_PLAIN = 1, RDB_NODE_PACKED = 2 };

#endif
