/* What the clients of a crowd do and what they look out for. Each role keeps to keys of its own. */
#ifndef TESTS_RACE_ROLES_H
#define TESTS_RACE_ROLES_H

#include "tests/race/crowd.h"

/* several_keys.c: commands on several keys happen at once, or not at all. */
void set_five(struct client *c);
void get_five(struct client *c);
void rename_token(struct client *c);
void watch_token(struct client *c);
void move_token(struct client *c);
void swap_databases(struct client *c);
void watch_swapped(struct client *c);

/* one_key.c: what many do to one key adds up, and happens in each client's order. */
void count_up(struct client *c);
void hand_over(struct client *c);
void exclude(struct client *c);
void compare_and_set(struct client *c);
void expire_soon(struct client *c);

/* short_fields.c: fields of hashes that go in time, while they are written. */
void expire_fields(struct client *c);
void swap_fields(struct client *c);
void keep_field(struct client *c);

/* keyspace_walks.c: what stays is found while all else comes and goes. */
void come_and_go(struct client *c);
void walk_keys(struct client *c);

/* money.c: transactions move what is never more or less. */
void move_money(struct client *c);
void move_watched_money(struct client *c);
void send_money(struct client *c);
void carry_money(struct client *c);
void add_money_up(struct client *c);
void rename_money(struct client *c);

/* weights.c: what SORT finds by patterns is of one moment. */
void weigh(struct client *c);
void prepare_weights(struct client *c);
void sort_by_weights(struct client *c);

/* queues.c: what is waited for comes once, and in order. */
void produce(struct client *c);
void produce_at_once(struct client *c);
void take_elements(struct client *c);
void move_elements(struct client *c);
void keep_elements(struct client *c);
void disturb_waiters(struct client *c);
void wait_in_turn(struct client *c);
void jump_the_queue(struct client *c);

/* guards.c: nobody else touches a guarded key; what waits is done once. */
void guard_one(struct client *c);
void guard_two(struct client *c);
void touch_guarded(struct client *c);
void leave_guarded(struct client *c);
void disturb_guarded(struct client *c);

/* latches.c: a lock has one writer, or readers; tokens grow; nobody waits for ever. */
void hold_latch(struct client *c);
void hold_latches(struct client *c);
void sit_down(struct client *c);
void outlive_lease(struct client *c);
void leave_latches(struct client *c);
void wait_in_vain(struct client *c);
void disturb_latches(struct client *c);

/* versions.c: writes on conditions, and waiting for changes. */
void add_by_version(struct client *c);
void follow_number(struct client *c);
void step_both(struct client *c);
void make_brief(struct client *c);
void follow_brief(struct client *c);
void write_swapped(struct client *c);
void follow_swapped(struct client *c);
void write_with_token(struct client *c);

/* herds.c: keys under policies go when they are to, and are counted. */
void fill_herds(struct client *c);
void change_policies(struct client *c);
void shuffle_herds(struct client *c);
void keep_session(struct client *c);

/* messages.c: messages come all, once, in their publisher's order. */
void subscribe_all(struct client *c);
void read_messages(struct client *c);
void publish_numbers(struct client *c);
void change_subscriptions(struct client *c);

/* values.c: events with values come all, in the order of versions. */
void listen_to_values(struct client *c);
void hear_values(struct client *c);
void write_values(struct client *c);
void change_listening(struct client *c);

/* caching.c: what a client has cached is no older than what it has been told of. */
void write_cached(struct client *c);
void cache(struct client *c);
void cache_briefly(struct client *c);
void limit_tracking(struct client *c);
void keep_busy(struct client *c);

/* heavy_load.c: what takes memory and time. */
void long_values(struct client *c);
void visit(struct client *c);
void fill_memory(struct client *c);
void limit_memory(struct client *c);

/* disturbance.c: everything else that goes on in a server. */
void mixed_commands(struct client *c);
void administer(struct client *c);
void be_killed(struct client *c);
void watch_commands(struct client *c);
void wipe(struct client *c);

/* What the tests look at when the clients have gone. Bounded by the rounds that were run. */
void several_keys_begin(struct server *s);
void several_keys_end(struct server *s);
void one_key_end(struct server *s, int clients, int rounds);
/* So many clients kept a field. */
void short_fields_end(struct server *s, int clients);
void money_begin(struct server *s);
void money_end(struct server *s);
void keyspace_walks_begin(struct server *s);
void versions_begin(struct server *s);
void versions_end(struct server *s);
void queues_begin(int rounds);
void latches_end(struct server *s);
void herds_begin(struct server *s);
void herds_end(struct server *s);
/* So many clients of either way to produce. */
void queues_end(struct server *s, int producers, int rounds);

void guards_begin(struct server *s);
void guards_end(struct server *s);

#endif
