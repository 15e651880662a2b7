/* The tables when a connection is opened, see sql_table.h. */
#include "storage/backend/sql_table.h"

#include "storage/backend/backend_inner.h"

#include <stdio.h>

static const struct {
    const char *name;
    bool is_text;
} additional[] = {{"type", true}, {"expiry", false}, {"version", false}, {"more", true}};

static enum backend_status run_all(struct backend *b, const struct sql_table_steps *steps,
                                   const struct sql_table_step *list)
{
    enum backend_status status = BACKEND_OK;

    for (; list->run && status == BACKEND_OK; list++) {
        int64_t done = 0;

        if (list->unless)
            status = steps->ask(b, list->unless, &done);
        if (status == BACKEND_OK && !done)
            status = steps->run(b, list->run);
    }
    return status;
}

/* A column that was there before we came may mean something else, if there is anything in it. */
static enum backend_status is_unused(struct backend *b, const struct sql_table_steps *steps,
                                     const char *name)
{
    char sql[128];
    int64_t used = 0;
    enum backend_status status;

    snprintf(sql, sizeof(sql), "SELECT 1 FROM {t} WHERE %s IS NOT NULL LIMIT 1", name);
    status = steps->ask(b, sql, &used);
    if (status == BACKEND_OK && used)
        status = backend_fail(b, BACKEND_WRONG,
                              "the table has a column `%s` of its own with something in it, which "
                              "is the name of one that is needed here",
                              name);
    return status;
}

static enum backend_status add_column(struct backend *b, const struct sql_table_steps *steps,
                                      const char *name, bool is_text)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "ALTER TABLE {t} ADD COLUMN %s %s", name,
             is_text ? steps->text : steps->number);
    return steps->run(b, sql);
}

static enum backend_status add_columns(struct backend *b, const struct sql_table_steps *steps,
                                       bool ours)
{
    enum backend_status status = BACKEND_OK;

    for (size_t i = 0; status == BACKEND_OK && i < COUNT_OF(additional); i++) {
        bool there = false;

        status = steps->has_column(b, additional[i].name, &there);
        if (status == BACKEND_OK && there && !ours)
            status = is_unused(b, steps, additional[i].name);
        else if (status == BACKEND_OK && !there)
            status = add_column(b, steps, additional[i].name, additional[i].is_text);
    }
    return status;
}

enum backend_status sql_table_ready(struct backend *b, const struct sql_table_steps *steps)
{
    int64_t ours = 0;
    enum backend_status status = run_all(b, steps, steps->tables);

    if (status == BACKEND_OK)
        status = steps->ask(b, "SELECT 1 FROM {t_latchkey} WHERE name = '" NOTE_COLUMNS "'", &ours);
    if (status == BACKEND_OK)
        status = add_columns(b, steps, ours);
    if (status == BACKEND_OK && !ours)
        status = steps->run(b, "INSERT INTO {t_latchkey} (name, value) VALUES ('" NOTE_COLUMNS
                               "', '1')");
    if (status == BACKEND_OK)
        status = steps->check(b);
    if (status == BACKEND_OK)
        status = run_all(b, steps, steps->indexes);
    if (status != BACKEND_OK)
        return status;
    status = run_all(b, steps, b->options.watch ? steps->triggers : steps->no_triggers);
    if (status == BACKEND_WRONG && b->options.watch) {
        struct backend_error why = b->error;

        backend_fail(b, status, "no triggers can be installed for backend-watch: %.180s", why.text);
    }
    return status;
}
