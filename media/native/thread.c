/* The thread: it waits for packets and works them off, and measures how little it waits. */
#include "loop.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Seconds. A tick is what overload adds to the delay at most; by the window the load is measured. */
static const double TICK = 0.005, WINDOW = 0.25;

/* Nanoseconds; less is not to be had. */
static const uint64_t SLICE = 100000;

typedef struct {
    double since, waited;
} Load;

static double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_until(double then)
{
    struct timespec at = {.tv_sec = (time_t)then, .tv_nsec = (long)((then - (double)(time_t)then) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* Time that was not waited is time worked, whoever else had the processor meanwhile: there was something to do. */
static void measure(Loop *loop, Load *load, double now)
{
    if (now - load->since < WINDOW)
        return;
    double busy = 1 - load->waited / (now - load->since);
    *load = (Load){.since = now};
    bool segments = false;
    for (int i = 0; i < loop->sockets; i++)
        segments |= __atomic_load_n(&loop->segments[i], __ATOMIC_RELAXED);
    bool overloaded = segments && busy > (loop->overloaded ? loop->limits.overload_ends : loop->limits.overload_begins);
    if (overloaded == loop->overloaded)
        return;
    enter(loop);
    loop->counts.overloads += overloaded;
    loop->overloaded = loop->ticking = overloaded;
    release(loop);
}

/* Ends where it is to stop; whether something waits still. */
static bool work(Loop *loop, const struct epoll_event *ready, int count)
{
    bool more = false;
    for (int i = 0; i < count; i++)
        more |= work_off(loop, &loop->ours, (int)ready[i].data.u32, clock_now());
    if (!count) {
        enter(loop);
        loop->turn++;
        more = take_turns(loop, &loop->ours, outbox(loop, &loop->ours), clock_now());
        leave(loop, &loop->ours);
    }
    return more;
}

/* In short slices of the processor: the kernel then lets this thread in before one that works on and on, as far as fair
 * shares allow. It wants no privilege, and kernels before 6.12 know nothing of it. Who has given us a priority keeps it. */
static void ask_for_short_slices(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t slice, deadline, period;
    } wish;
    if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) == 0 && wish.policy == SCHED_OTHER) {
        wish.slice = SLICE;
        syscall(SYS_sched_setattr, 0, &wish, 0);
    }
}

static int open_poller(const Loop *loop)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < loop->sockets; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (loop->files[i] >= 0)
            epoll_ctl(poller, EPOLL_CTL_ADD, loop->files[i], &event);
    }
    struct epoll_event stop = {.events = EPOLLIN, .data.u32 = SOCKETS};
    epoll_ctl(poller, EPOLL_CTL_ADD, loop->stop, &stop);
    return poller;
}

void *run(void *argument)
{
    Loop *loop = argument;
    struct epoll_event ready[SOCKETS + 1];
    int poller = open_poller(loop);
    bool more = false, stops = false;
    ask_for_short_slices();
    double tick = clock_now();
    Load load = {.since = tick};
    enter(loop);
    loop->ticking = loop->overloaded;
    leave(loop, NULL);
    while (!stops) {
        double before = clock_now();
        int most = loop->ticking ? (int)(TICK * 1e3) : -1;
        int count = epoll_wait(poller, ready, SOCKETS + 1, more ? 0 : most);
        if (loop->ticking && !more) {
            sleep_until(tick + TICK);
            count = epoll_wait(poller, ready, SOCKETS + 1, 0);
        }
        double now = clock_now();
        if (!more) {
            tick = now;
            load.waited += now - before;
        }
        for (int i = 0; i < count; i++)
            if (ready[i].data.u32 == SOCKETS) {
                stops = true;
                ready[i--] = ready[--count];
            }
        more = work(loop, ready, count);
        now = clock_now();
        if (loop->ticking && (!more || now - tick > TICK)) {
            tick = more ? now : tick;
            enter(loop);
            loop->counts.ticks++;
            release(loop);
        }
        measure(loop, &load, now);
    }
    enter(loop);
    loop->ticking = false;
    release(loop);
    close(poller);
    return NULL;
}
