/* Arguments and replies of the commands on places: GEOADD, GEOSEARCH, GEORADIUS and kin. */
#ifndef LK_SERVER_GEO_ARGS_H
#define LK_SERVER_GEO_ARGS_H

#include "server/call.h"
#include "storage/geohash.h"

enum geo_form {
    GEO_RADIUS,    /* GEORADIUS */
    GEO_BY_MEMBER, /* GEORADIUSBYMEMBER */
    GEO_SEARCH,    /* GEOSEARCH, GEOSEARCHSTORE */
};

enum geo_order { GEO_UNSORTED, GEO_NEAREST, GEO_FARTHEST };

struct geo_search {
    enum geo_form form;
    bool read_only; /* no STORE */
    int source;     /* the argument that is the key */
    int store;      /* the argument that is the destination; 0 for none */
    bool store_distance;

    struct geo_shape shape;
    bool with_distance, with_hash, with_place;
    enum geo_order order;
    int64_t count; /* 0: all */
    bool any;      /* the first that are found, instead of the nearest */
};

/* Longitude and latitude at arguments i and i + 1; what is wrong is answered. */
bool geo_args_place(struct call *c, int i, struct geo_point *out);
/* Metres in the unit that argument i names; what is wrong is answered. */
bool geo_args_unit(struct call *c, int i, double *out);
/*
 * Everything but what the form, which is set, says. Where `e`, the sorted set that is searched, is
 * NULL, its members are not asked for. What is wrong is answered.
 */
bool geo_args_read(struct call *c, struct geo_search *s, const struct entry *e);

/* Longitude and latitude. */
void geo_reply_place(struct call *c, struct geo_point p);
/* In whatever unit, to four digits behind the point. */
void geo_reply_distance(struct call *c, double d);

#endif
