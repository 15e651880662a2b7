/* The drivers that there are, see backend.h. */
#include "storage/backend/backend.h"

#include "base/compiler.h"

#define DRIVER(name) extern const struct backend_driver backend_##name;
#include "storage/backend/drivers.def"
#undef DRIVER

static const struct backend_driver *const drivers[] = {
#define DRIVER(name) &backend_##name,
#include "storage/backend/drivers.def"
#undef DRIVER
};

const struct backend_driver *backend_driver(struct slice scheme)
{
    for (size_t i = 0; i < COUNT_OF(drivers); i++) {
        if (slice_eq(scheme, slice_str(drivers[i]->scheme)))
            return drivers[i];
    }
    return NULL;
}
