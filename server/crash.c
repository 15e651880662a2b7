/* Reports of fatal signals, see crash.h. */
#include "server/crash.h"

#include "base/log.h"
#include "base/version.h"

#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { FRAMES_MAX = 100 };

/* Sanitizers bring a report of their own, which a handler here would keep from being written. */
#ifdef LK_NO_JEMALLOC
enum { HAS_REPORTS = 0 };
#else
enum { HAS_REPORTS = 1 };
#endif

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

void crash_block_signals(sigset_t *old)
{
    sigset_t all;

    sigfillset(&all);
    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        sigdelset(&all, fatal[i]);
    pthread_sigmask(SIG_SETMASK, &all, old);
}

/* Set before the handlers are, since a handler is given nothing. */
static char log_path[PATH_MAX];

/* The process is lost already, so that a call too much here does no harm. */
static void on_fatal(int sig, siginfo_t *info, void *context)
{
    void *frames[FRAMES_MAX];
    int fd = STDOUT_FILENO;

    (void)context;
    signal(sig, SIG_DFL);
    log_warning("=== LATCHKEY BUG REPORT START: Cut & paste starting from here ===");
    log_warning("Latchkey %s crashed by signal: %d, si_code: %d", LATCHKEY_VERSION, sig,
                info->si_code);
    if (sig != SIGABRT)
        log_warning("Accessing address: %p", info->si_addr);
    log_warning("------ STACK TRACE ------");
    if (log_path[0])
        fd = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd >= 0)
        backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), fd);
    log_warning("=== LATCHKEY BUG REPORT END ===");
    raise(sig);
}

void crash_reports(const struct conf *conf)
{
    struct sigaction action = {.sa_sigaction = on_fatal,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESETHAND};
    void *frames[1];

    if (!HAS_REPORTS)
        return;
    snprintf(log_path, sizeof(log_path), "%s", conf->logfile);
    backtrace(frames, 1); /* loads what it needs while memory can be trusted */
    if (!conf->crash_log_enabled) {
        action.sa_flags = 0;
        action.sa_handler = SIG_DFL;
    }
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        sigaction(fatal[i], &action, NULL);
}
