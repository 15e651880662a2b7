"""What stands in the log for each command that writes: requests, each case on an empty server.

A line is a request. `1: …` sends it on a connection of its own and does not wait for its reply, but
until the server says that the client waits. `sleep N` lets N seconds pass.
"""

# Redis writes the same.
SAME = {
    "strings": """
        APPEND k abc | APPEND k def
        SET k 1 | DECR k | DECRBY k 5 | INCR k | INCRBY k 7
        SET k v | GETDEL k | GETDEL k
        SET k v NX | SET k v NX | SET k w XX | SET k x GET | SET k y XX GET
        SET k v NX GET | SET k w NX GET
        MSET a 1 b 2 | MSETNX a 1 c 2 | MSETNX c 1 d 2
        SETNX k v | SETNX k w
        SETRANGE k 5 abc | SETRANGE k 0 "" | SETRANGE k 100 ""
        SETBIT k 100 1 | SETBIT k 100 1 | SETBIT k 7 0
        BITFIELD k SET u8 0 255 GET u8 0 INCRBY i5 100 1 | BITFIELD k GET u8 0
        BITFIELD k OVERFLOW FAIL INCRBY u2 0 1 INCRBY u2 0 3
        SET a abc | SET b abd | BITOP AND c a b | BITOP NOT d a | BITOP OR c no no
        SET k 10 | INCRBYFLOAT k 0.1 | INCRBYFLOAT k 3e2 | INCRBYFLOAT n -0.5
        SET k 10 EX 1000 | INCRBYFLOAT k 0.25
        SET k abc | LCS k k | GETRANGE k 0 1 | STRLEN k""",
    "times": """
        SET k v EX 100 | SET k v PX 100000 | SET k v EXAT 33177117420 | SET k v PXAT 33177117420000
        SET k v EX 100 | SET k w KEEPTTL | SET k x
        SET k v EX 100 NX | SET k w EX 100 XX | SET k w EX 100 GET | SET k w XX EX 100 GET
        SETEX k 100 v | PSETEX k 100000 w
        SET k v | GETEX k | GETEX k EX 100 | GETEX k PX 100000 | GETEX k PERSIST | GETEX k PERSIST
        SET k v | GETEX k EXAT 33177117420 | GETEX k PXAT 33177117420000
        SET k v | EXPIRE k 100 | PEXPIRE k 100000 | EXPIREAT k 33177117420 | PERSIST k | PERSIST k
        SET k v | PEXPIREAT k 33177117420000
        SET k v | EXPIRE k 100 NX | EXPIRE k 100 NX | EXPIRE k 200 GT | EXPIRE k 300 LT | EXPIRE k 9 XX
        SET k v | EXPIRE k -1
        SET k v | PEXPIREAT k 1
        SET k v | EXPIREAT k 1
        SET k v | GETEX k PXAT 1
        SET k v | EXPIRE k 0
        SET k v PX 30 | sleep 0.2 | GET k
        SADD k a | PEXPIRE k 30 | sleep 0.2 | SADD k b
        SET k v PX 30 | sleep 0.4""",
    "keys": """
        SET a 1 | COPY a b | COPY a b | COPY a b REPLACE | COPY a c DB 3
        SET a 1 EX 100 | COPY a b
        SET a 1 | MOVE a 5 | MOVE a 5
        SET a 1 | RENAME a b | RENAME b b | RENAMENX b c | SET d 1 | RENAMENX c d
        SET a 1 | DEL a b | DEL a | UNLINK a
        MSET a 1 b 2 c 3 | DEL a b no | UNLINK no c no
        SET a 1 | SWAPDB 0 1
        SET a 1 | SWAPDB 3 3
        SET a 1 | FLUSHDB
        SET a 1 | FLUSHDB ASYNC
        FLUSHDB SYNC
        SELECT 9 | FLUSHDB
        SET a 1 | SELECT 1 | SET b 1 | FLUSHALL | SET c 1 | FLUSHALL ASYNC
        SET a 1 | TOUCH a | OBJECT ENCODING a | TYPE a | EXISTS a
        SET a 1 | SELECT 5 | SET a 2 | SELECT 0 | SET b 3""",
    "dumps": """
        RESTORE k 0 "\\x00\\xc0\\x01\\x0a\\x00\\xa1\\x28\\xe5\\x9d\\xdf\\xc6\\x52\\x6f"
        RESTORE k 0 "\\x00\\xc0\\x01\\x0a\\x00\\xa1\\x28\\xe5\\x9d\\xdf\\xc6\\x52\\x6f" REPLACE
        RESTORE k 33177117420000 "\\x00\\xc0\\x01\\x0a\\x00\\xa1\\x28\\xe5\\x9d\\xdf\\xc6\\x52\\x6f" ABSTTL
        RESTORE k 100000 "\\x00\\xc0\\x01\\x0a\\x00\\xa1\\x28\\xe5\\x9d\\xdf\\xc6\\x52\\x6f"
        RESTORE-ASKING k 0 "\\x00\\xc0\\x01\\x0a\\x00\\xa1\\x28\\xe5\\x9d\\xdf\\xc6\\x52\\x6f" IDLETIME 5
        SET k old | RESTORE k 1 "\\x00\\xc0\\x01\\x0a\\x00\\xa1\\x28\\xe5\\x9d\\xdf\\xc6\\x52\\x6f" ABSTTL REPLACE""",
    "hashes": """
        HSET h a 1 b 2 | HSET h a 1 | HMSET h a 2 c 3 | HSETNX h a 9 | HSETNX h d 4
        HSET h a 1 b 2 | HDEL h a no | HDEL h no | HDEL h b
        HINCRBY h a 5 | HINCRBY h a -5
        HINCRBYFLOAT h a 0.5 | HINCRBYFLOAT h a 1e3 | HINCRBYFLOAT h b 10""",
    "lists": """
        LPUSH l a b c | RPUSH l d e | LPUSHX l x | RPUSHX l y | LPUSHX no x | RPUSHX no y
        RPUSH l a b c | LPOP l | RPOP l | LPOP l | LPOP l
        RPUSH l a b c d e f | LPOP l 2 | RPOP l 2 | LPOP l 0 | LPOP l 100
        RPUSH l a b c a | LREM l 1 a | LREM l 0 no | LREM l -1 a | LSET l 0 z | LINSERT l AFTER z q | LINSERT l BEFORE no q
        RPUSH l a b c d | LTRIM l 1 2 | LTRIM l 5 9
        RPUSH l a b | LMOVE l m LEFT RIGHT | LMOVE l l LEFT RIGHT | RPOPLPUSH l m | LMOVE no m LEFT LEFT
        RPUSH l a b c d | LMPOP 2 no l LEFT | LMPOP 1 l RIGHT COUNT 2 | LMPOP 1 l RIGHT""",
    "waiting": """
        RPUSH l a b c | BLPOP l 0 | BRPOP no l 0
        RPUSH l a b c | BLMOVE l m LEFT LEFT 0 | BRPOPLPUSH l m 0 | BLMPOP 0 1 l LEFT
        ZADD z 1 a 2 b 3 c 4 d | BZPOPMIN z 0 | BZPOPMAX z 0 | BZMPOP 0 2 no z MIN COUNT 9
        1: BLPOP l 0 | RPUSH l a b
        1: BRPOP l 0 | RPUSH l a
        1: BLMOVE l m LEFT RIGHT 0 | RPUSH l a b
        1: BRPOPLPUSH l m 0 | RPUSH l a b
        1: BLMPOP 0 1 l LEFT COUNT 2 | RPUSH l a b c
        1: BZPOPMIN z 0 | ZADD z 1 a 2 b
        1: BZPOPMAX z 0 | ZADD z 1 a
        1: BZMPOP 0 1 z MAX COUNT 2 | ZADD z 1 a 2 b 3 c
        1: BLPOP l 0 | 1: BLPOP m 0 | 1: BLMOVE x l LEFT LEFT 0 | LPUSH x v
        1: BLMOVE l m LEFT LEFT 0 | 1: BLPOP m 0 | RPUSH l a
        1: BLPOP l 0 | MULTI | RPUSH l a b | SET k v | EXEC
        1: BLPOP l 0.05 | sleep 0.2 | RPUSH l a
        1: BLPOP l 0 | RENAME no l | LPUSH o 1 2 | RENAME o l""",
    "sets": """
        SADD s a b c | SADD s a | SADD s a d | SREM s a no | SREM s no
        SADD s 1 2 3 | SREM s 1 2 3
        SADD s a b | SMOVE s t a | SMOVE s t no | SMOVE s s b | SMOVE s t b
        SADD s a | SPOP s | SPOP s
        SADD s a b c | SPOP s 3
        SADD s a b c | SPOP s 9
        SADD s a | SPOP s 0
        SADD s a b c | SADD t b c d | SINTERSTORE u s t | SUNIONSTORE u s t | SDIFFSTORE u s t
        SADD s a | SADD u x | SINTERSTORE u s no | SDIFFSTORE u no s | SUNIONSTORE w no no""",
    "sorted sets": """
        ZADD z 1 a 2 b | ZADD z 1 a | ZADD z NX 5 a 6 c | ZADD z XX CH 7 a 8 d | ZADD z GT 1 a | ZADD z LT 1 a
        ZADD z INCR 5 a | ZADD z NX INCR 5 a | ZINCRBY z 2.5 a | ZINCRBY z 0 a
        ZADD z 1 a 2 b 3 c | ZREM z a no | ZREM z no | ZREM z b c
        ZADD z 1 a 2 b 3 c 4 d | ZPOPMIN z | ZPOPMAX z 2 | ZPOPMIN z 0 | ZPOPMIN z 9 | ZPOPMIN z
        ZADD z 1 a 2 b 3 c 4 d | ZMPOP 2 no z MIN | ZMPOP 1 z MAX COUNT 2 | ZMPOP 1 z MIN COUNT 9
        ZADD z 1 a 2 b 3 c 4 d | ZREMRANGEBYRANK z 0 0 | ZREMRANGEBYSCORE z 2 2 | ZREMRANGEBYRANK z 5 9
        ZADD z 0 a 0 b 0 c | ZREMRANGEBYLEX z [a (b | ZREMRANGEBYLEX z [x [y | ZREMRANGEBYLEX z - +
        ZADD z 1 a 2 b | ZADD y 3 b 4 c | ZINTERSTORE o 2 z y | ZUNIONSTORE o 2 z y WEIGHTS 2 3 AGGREGATE MAX | ZDIFFSTORE o 2 z y
        ZADD z 1 a | ZINTERSTORE o 2 z no | ZUNIONSTORE z 1 no
        ZADD z 1 a 2 b 3 c | ZRANGESTORE o z 0 1 | ZRANGESTORE o z 9 9 | ZRANGESTORE o z 9 9""",
    "sketches": """
        PFADD p a b c | PFADD p a b c | PFADD p | PFADD q | PFADD q
        PFADD p a b c | PFADD q c d | PFMERGE r p q | PFMERGE r p | PFCOUNT p q
        PFADD p a b c | PFCOUNT p | PFCOUNT p
        PFADD p a | PFDEBUG GETREG p""",
    "transactions": """
        MULTI | SET a 1 | INCR a | EXEC
        MULTI | GET a | EXEC
        MULTI | GET a | SET a 1 | GET a | EXEC
        MULTI | SET a 1 | SELECT 3 | SET b 2 | SELECT 0 | EXEC | SET c 3
        MULTI | SET a x | INCR a | LPUSH a 1 | SET b 1 | EXEC
        MULTI | SET a 1 | DISCARD
        MULTI | EXEC
        MULTI | FLUSHDB | SET a 1 | EXEC
        MULTI | SADD s a b c | SPOP s 3 | EXPIRE s 100 | EXEC
        MULTI | SET a 1 EX 100 | GETEX a PERSIST | INCRBYFLOAT a 0.5 | EXEC
        SET k v PX 30 | sleep 0.2 | MULTI | GET k | SET l v | EXEC""",
    "errors": """
        SET a x | INCR a | LPUSH a 1 | SET | NOPE a | SET a y EX 0 | EXPIRE a nothing | HSET a b c""",
}

# Words for the same that either of them prefers, and why.
INSTEAD = (
    ("a condition was looked at, and need not be again",
     r"^(SET \S+ \S+)((?: (?!NX|XX)\S+)*) (?:NX|XX)\b", r"\1\2"),
    ("the same", r"^(PEXPIREAT \S+ \S+) (NX|XX|GT|LT)$", r"\1"),
    ("one command that moves elements is enough", r"^RPOPLPUSH (\S+) (\S+)$",
     r"LMOVE \1 \2 RIGHT LEFT"),
    ("in lower case where somebody had waited", r"^(LMOVE \S+ \S+) left left$", r"\1 LEFT LEFT"),
    ("the same", r"^(LMOVE \S+ \S+) left right$", r"\1 LEFT RIGHT"),
    ("how many are taken is always said", r"^(ZPOPM\S+ \S+)$", r"\1 1"),
)

# What is written here, where that is something else on purpose: why, the case, its records.
DIFFERENT = (
    ("who asks for the old value sets one all the same",
     "SET k v | GETSET k w", "SET k v | GETSET k w"),
    ("a key whose time is over goes at once",
     "SET k v PXAT 1 | sleep 0.1 | SET l old | SET l v EXAT 1 | sleep 0.1",
     "SET k v PXAT 1 | DEL k | SET l old | SET l v PXAT 1000 | DEL l"),
    ("what has only got another version is recorded, too", "RPUSH l a | LTRIM l 0 -1",
     "RPUSH l a | LTRIM l 0 -1"),
    ("more than there are may be asked for", "RPUSH l a | LMPOP 1 l RIGHT COUNT 9",
     "RPUSH l a | RPOP l 9"),
    ("the same", "RPUSH l a | BLMPOP 0 1 l LEFT COUNT 9", "RPUSH l a | LPOP l 9"),
    ("places are scores that either server computes alike",
     "GEOADD g 13.361389 38.115556 P 15.087269 37.502669 C | GEOADD g NX 1 1 P | GEOADD g XX CH 2 2 P",
     "GEOADD g 13.361389 38.115556 P 15.087269 37.502669 C | GEOADD g XX CH 2 2 P"),
    ("the same",
     "GEOADD g 13 38 P | GEOSEARCHSTORE o g FROMLONLAT 13 38 BYRADIUS 9 km ASC"
     " | GEOSEARCHSTORE o g FROMMEMBER P BYBOX 400 400 km STOREDIST"
     " | GEOSEARCHSTORE o g FROMLONLAT 1 1 BYRADIUS 1 m"
     " | GEORADIUS g 13 38 200 km STORE o | GEORADIUS g 13 38 200 km STOREDIST o"
     " | GEORADIUS g 13 38 200 km | GEORADIUSBYMEMBER g P 200 km STORE o",
     "GEOADD g 13 38 P | GEOSEARCHSTORE o g FROMLONLAT 13 38 BYRADIUS 9 km ASC"
     " | GEOSEARCHSTORE o g FROMMEMBER P BYBOX 400 400 km STOREDIST"
     " | GEOSEARCHSTORE o g FROMLONLAT 1 1 BYRADIUS 1 m"
     " | GEORADIUS g 13 38 200 km STORE o | GEORADIUS g 13 38 200 km STOREDIST o"
     " | GEORADIUSBYMEMBER g P 200 km STORE o"),
    ("what is sorted may stand in keys that others change meanwhile",
     "RPUSH l 3 1 2 | SORT l STORE o | SORT no STORE o | SORT l | SORT_RO l",
     "RPUSH l 3 1 2 | MULTI | DEL o | RPUSH o 1 2 3 | EXEC | SORT no STORE o"),
    ("the same",
     "SADD s 3 1 2 | MSET w_1 9 w_2 8 w_3 7 | SORT s BY w_* GET # GET w_* STORE o",
     "SADD s 3 1 2 | MSET w_1 9 w_2 8 w_3 7 | MULTI | DEL o | RPUSH o 3 7 2 8 1 9 | EXEC"),
    ("a command of later versions of Redis, in words of 7.0",
     "MSETEX 2 a 1 b 2", "MULTI | SET a 1 | SET b 2 | EXEC"),
    ("the same", "MSETEX 2 a 1 b 2 EX 100", "MULTI | SET a 1 PXAT <T1> | SET b 2 PXAT <T1> | EXEC"),
    ("the same", "SET k v | SET k w IFEQ v | SET k x IFNE y | DELEX k IFEQ x",
     "SET k v | SET k w | SET k x | DEL k"),
    ("the same", "SET k v | DELIFEQ k v", "SET k v | DEL k"),
    ("the same", "HSET h a 1 b 2 | HGETDEL h FIELDS 1 a | HGETDEL h FIELDS 1 b",
     "HSET h a 1 b 2 | HDEL h a | HDEL h b"),
    ("times of fields stand in notes, which Redis passes over",
     "HSET h a 1 b 2 | HEXPIRE h 100 FIELDS 1 a | HPERSIST h FIELDS 1 a",
     "HSET h a 1 b 2 | # HPEXPIREAT h <T1> FIELDS 1 a | # HPERSIST h FIELDS 1 a"),
    ("the same", "HSETEX h EX 100 FIELDS 1 a 1 | HGETEX h PX 200000 FIELDS 1 a",
     "MULTI | HSET h a 1 | # HPEXPIREAT h <T1> FIELDS 1 a | EXEC | # HPEXPIREAT h <T2> FIELDS 1 a"),
    ("a field that goes by its time is removed",
     "HSET h a 1 b 2 | HPEXPIRE h 30 FIELDS 1 a | sleep 0.2 | HPEXPIRE h 30 FIELDS 1 b | sleep 0.2",
     "HSET h a 1 b 2 | # HPEXPIREAT h <T0> FIELDS 1 a | HDEL h a"
     " | # HPEXPIREAT h <T0> FIELDS 1 b | MULTI | HDEL h b | DEL h | EXEC"),
    ("the same", "HSET h a 1 b 2 | HEXPIREAT h 33177117420 FIELDS 1 a | HPEXPIREAT h 1 FIELDS 1 b",
     "HSET h a 1 b 2 | # HPEXPIREAT h 33177117420000 FIELDS 1 a | HDEL h b"),
    ("what is conditional is done or not", "SET k v | WHEN EQ k v DO SET k w | WHEN EQ k v DO SET k x",
     "SET k v | SET k w"),
    ("as the command within", "DURABLE no SET k v", "SET k v"),
)
