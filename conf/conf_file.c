/*
 * Reading the configuration: files, standard input and the command line. All three become one text
 * of lines "name word ...", the later line wins, and what is wrong is told with its line's number.
 */
#include "conf/conf_file.h"

#include "base/mem.h"
#include "base/version.h"
#include "base/words.h"
#include "conf/option.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <unistd.h>

enum { INCLUDE_DEPTH_MAX = 32 };

struct loader {
    struct conf *conf;
    struct conf_notes *notes;
    enum conf_result result;
    int depth;
};

/* ---- text ---- */

int conf_read_all(const char *path, struct buf *out)
{
    bool from_stdin = strcmp(path, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int status = 0;
    ssize_t n;

    if (fd < 0)
        return -errno;
    do {
        n = read(fd, buf_reserve(out, 16384), 16384);
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        status = -errno;
    if (!from_stdin)
        close(fd);
    return status;
}

bool conf_next_line(struct slice *rest, struct slice *line)
{
    const char *end;

    if (rest->len == 0)
        return false;
    end = memchr(rest->ptr, '\n', rest->len);
    *line = slice_make(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    rest->ptr += line->len + (end != NULL);
    rest->len -= line->len + (end != NULL);
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice conf_trim(struct slice s)
{
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* ---- directives ---- */

bool conf_known_elsewhere(struct slice name)
{
    static const char *const names[] = {
#define ELSEWHERE(text) text,
#include "conf/elsewhere.def"
#undef ELSEWHERE
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_is(name, names[i]))
            return true;
    }
    /* Options of modules have their module's name in front. */
    return name.len && memchr(name.ptr, '.', name.len);
}

/* One warning a name, however often the name comes. */
static void warn(struct conf_notes *notes, struct slice name)
{
    struct buf line = {0};

    conf_say_unsupported(name, &line);
    buf_append_char(&line, '\n');
    if (notes->warnings.len == 0 ||
        !memmem(notes->warnings.ptr, notes->warnings.len, line.ptr, line.len))
        buf_append_slice(&notes->warnings, buf_slice(&line));
    buf_release(&line);
}

static void add_rename(struct conf *c, struct slice from, struct slice to)
{
    c->renames = mem_realloc(c->renames, (c->renames_len + 1) * sizeof(*c->renames));
    c->renames[c->renames_len++] =
        (struct conf_rename){mem_strndup(from.ptr, from.len), mem_strndup(to.ptr, to.len)};
}

static bool load_path(struct loader *l, const char *path);

static bool include(struct loader *l, struct slice path, struct buf *err)
{
    char *copy;
    bool done;

    if (l->depth == INCLUDE_DEPTH_MAX)
        return option_refuse(err, "too many files include one another");
    copy = mem_strndup(path.ptr, path.len);
    l->depth++;
    done = load_path(l, copy);
    l->depth--;
    mem_free(copy);
    return done;
}

static bool apply_other(struct loader *l, const struct words *w, struct buf *err)
{
    struct slice name = w->items[0];

    if (slice_is(name, "include") && w->len == 2)
        return include(l, w->items[1], err);
    if (slice_is(name, "rename-command") && w->len == 3) {
        add_rename(l->conf, w->items[1], w->items[2]);
        return true;
    }
    if (!conf_known_elsewhere(name) || w->len < 2)
        return option_refuse(err, "Bad directive or wrong number of arguments");
    warn(l->notes, name);
    return true;
}

static bool apply_words(struct loader *l, const struct words *w, struct buf *err)
{
    const struct option *o = conf_find(w->items[0]);
    struct option_args args = {w->items + 1, w->len - 1, false};

    if (!o)
        return apply_other(l, w, err);
    args.append = l->conf->given[option_id(o)];
    return option_set(l->conf, o, args, err);
}

static bool apply_line(struct loader *l, struct slice line, struct buf *err)
{
    struct words w = {0};
    bool done = true;

    if (line.len && line.ptr[0] != '#') {
        done = words_split(&w, line);
        if (!done)
            option_refuse(err, "Unbalanced quotes in configuration line");
        else if (w.len)
            done = apply_words(l, &w, err);
    }
    words_release(&w);
    return done;
}

/* ---- texts ---- */

static void describe_failure(struct loader *l, int number, struct slice line, struct slice reason)
{
    buf_printf(&l->notes->error,
               "\n*** FATAL CONFIG FILE ERROR (Latchkey %s) ***\n"
               "Reading the configuration file, at line %d\n>>> '%.*s'\n%.*s\n",
               LATCHKEY_VERSION, number, (int)line.len, line.ptr, (int)reason.len, reason.ptr);
}

static bool load_text(struct loader *l, struct slice text)
{
    struct buf err = {0};
    struct slice line;
    bool done = true;

    for (int number = 1; done && conf_next_line(&text, &line); number++) {
        line = conf_trim(line);
        done = apply_line(l, line, &err);
        if (!done && l->result == CONF_OK) {
            l->result = CONF_BAD;
            describe_failure(l, number, line, buf_slice(&err));
        }
    }
    buf_release(&err);
    return done;
}

static bool read_file(struct loader *l, const char *path, struct buf *text)
{
    int status = conf_read_all(path, text);

    if (status == 0)
        return true;
    l->result = CONF_UNREADABLE;
    buf_printf(&l->notes->error, "Fatal error, can't open config file '%s': %s", path,
               strerror(-status));
    return false;
}

/* A pattern may match nothing, a plain path must exist. */
static bool read_files(struct loader *l, const char *path, struct buf *text)
{
    bool done = true;
    glob_t found;

    if (!strpbrk(path, "*?["))
        return read_file(l, path, text);
    if (glob(path, 0, NULL, &found) != 0)
        return true;
    for (size_t i = 0; done && i < found.gl_pathc; i++)
        done = read_file(l, found.gl_pathv[i], text);
    globfree(&found);
    return done;
}

static bool load_path(struct loader *l, const char *path)
{
    struct buf text = {0};
    bool done = read_files(l, path, &text) && load_text(l, buf_slice(&text));

    buf_release(&text);
    return done;
}

/* ---- the command line ---- */

static char *absolute_path(const char *path)
{
    struct buf out = {0};
    char cwd[PATH_MAX];

    if (path[0] != '/' && getcwd(cwd, sizeof(cwd)))
        buf_printf(&out, "%s/", cwd);
    buf_append(&out, path, strlen(path) + 1);
    return out.ptr;
}

static bool is_name(const char *arg)
{
    return arg[0] == '-' && arg[1] == '-';
}

/* "--port 6379" in one argument holds its value already. */
static bool holds_value(const char *arg)
{
    struct words w = {0};
    bool alone = words_split(&w, slice_str(arg)) && w.len == 1;

    words_release(&w);
    return !alone;
}

/*
 * Turns arguments into lines. A name starts a line, and the argument behind it is its value
 * whatever it looks like; only behind --save may the value be missing, since programs that build a
 * command line from an empty list leave it out.
 */
static void arguments_to_lines(int argc, char *const *argv, struct buf *out)
{
    bool value_must_follow = false;

    for (int i = 0; i < argc; i++) {
        bool last = i + 1 == argc;

        if (value_must_follow || !is_name(argv[i])) {
            words_quote(out, slice_str(argv[i]));
            buf_append_char(out, ' ');
            value_must_follow = false;
            continue;
        }
        buf_printf(out, "%s%s ", i ? "\n" : "", argv[i] + 2);
        value_must_follow = !holds_value(argv[i]);
        if (strcasecmp(argv[i], "--save") == 0 && (last || is_name(argv[i + 1]))) {
            buf_append_str(out, "\"\"");
            value_must_follow = false;
        }
    }
}

/*
 * The text that all of the command line stands for; false if a file cannot be read. Standard input
 * is asked for by "-" in the first place instead of a file, or in the last.
 */
static bool gather(struct loader *l, int argc, char *const *argv, struct buf *text)
{
    bool first = argc && strcmp(argv[0], "-") == 0;

    if (argc && argv[0][0] != '-') {
        l->conf->file = absolute_path(argv[0]);
        if (!read_files(l, l->conf->file, text))
            return false;
        first = true;
    } else {
        l->notes->read_stdin = first;
    }
    argc -= first;
    argv += first;
    if (argc && strcmp(argv[argc - 1], "-") == 0) {
        l->notes->read_stdin = true;
        argc--;
    }
    if (l->notes->read_stdin && !read_file(l, "-", text))
        return false;
    buf_append_char(text, '\n');
    arguments_to_lines(argc, argv, text);
    return true;
}

static void warn_of_inert(struct loader *l)
{
    struct conf *fresh = conf_new();

    for (int id = 0; id < OPTION_COUNT; id++) {
        if (option_is_inert((enum option_id)id) && conf_differs(l->conf, fresh, (enum option_id)id))
            warn(l->notes, slice_str(options[id].name));
    }
    conf_free(fresh);
}

enum conf_result conf_load(struct conf *c, int argc, char *const *argv, struct conf_notes *notes)
{
    struct loader l = {.conf = c, .notes = notes};
    struct buf text = {0};

    if (gather(&l, argc, argv, &text) && load_text(&l, buf_slice(&text)))
        warn_of_inert(&l);
    buf_release(&text);
    return l.result;
}

void conf_notes_release(struct conf_notes *notes)
{
    buf_release(&notes->error);
    buf_release(&notes->warnings);
}
