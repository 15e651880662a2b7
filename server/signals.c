/* SIGINT and SIGTERM, see signals.h. */
#include "server/signals.h"

#include "base/log.h"
#include "server/process.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct server *served; /* NULL: it is ending */

static void await(sigset_t *wanted)
{
    sigemptyset(wanted);
    sigaddset(wanted, SIGINT);
    sigaddset(wanted, SIGTERM);
}

static void received(int sig)
{
    if (!served && sig == SIGINT) {
        log_warning("You insist... exiting now.");
        process_remove_files();
        _exit(1);
    }
    log_warning("Received %s scheduling shutdown...", sig == SIGINT ? "SIGINT" : "SIGTERM");
    if (served)
        server_shutdown(served, sig);
    served = NULL;
}

static void *wait_for_signals(void *arg)
{
    sigset_t wanted;
    int sig;

    (void)arg;
    await(&wanted);
    pthread_setname_np(pthread_self(), "signals");
    for (;;) {
        if (sigwait(&wanted, &sig) != 0)
            continue;
        pthread_mutex_lock(&guard);
        received(sig);
        pthread_mutex_unlock(&guard);
    }
    return NULL;
}

int signals_start(struct server *s)
{
    sigset_t wanted;
    pthread_t thread;
    int err;

    await(&wanted);
    pthread_sigmask(SIG_BLOCK, &wanted, NULL);
    served = s;
    err = pthread_create(&thread, NULL, wait_for_signals, NULL);
    if (err)
        return -err;
    return -pthread_detach(thread);
}

void signals_go_on(struct server *s)
{
    pthread_mutex_lock(&guard);
    served = s;
    pthread_mutex_unlock(&guard);
}

void signals_ending(void)
{
    pthread_mutex_lock(&guard);
    served = NULL;
    pthread_mutex_unlock(&guard);
}
