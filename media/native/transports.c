#include "transports.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool allowance_spent(Allowance *allowance, double now)
{
    if (now > allowance->at) {
        double left = allowance->used - (now - allowance->at) * allowance->rate;
        allowance->used = left > 0 ? left : 0;
        allowance->at = now;
    }
    return allowance->used >= allowance->most;
}

static unsigned bucket_of(const Transports *all, int socket, const uint8_t *address)
{
    uint64_t hash = all->seed ^ (uint64_t)socket;
    for (int i = 0; i < ADDRESS; i += 4) {
        uint32_t four;
        memcpy(&four, address + i, 4);
        hash = (hash ^ four) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return (unsigned)(hash % BUCKETS);
}

Transport *transports_find(const Transports *all, uint32_t number)
{
    Transport *each = all->by_number[number % BUCKETS];
    while (each && each->numbers.number != number)
        each = each->next;
    return each;
}

static Known **place_of(Transports *all, int socket, const uint8_t *address)
{
    Known **place = &all->by_address[bucket_of(all, socket, address)];
    while (*place && ((*place)->socket != socket || memcmp((*place)->address, address, ADDRESS) != 0))
        place = &(*place)->next;
    return place;
}

Transport *transports_at(const Transports *all, int socket, const uint8_t *address)
{
    Known *known = *place_of((Transports *)all, socket, address);
    return known ? known->transport : NULL;
}

void transports_add(Transports *all, const Numbers *numbers, const Slot *slots, int count, const Limits *limits)
{
    Transport *before = transports_find(all, numbers->number);
    if (before)
        transports_drop(all, before);
    Transport *made = calloc(1, sizeof *made);
    Downlink *downlinks = calloc((size_t)count + 1, sizeof *downlinks);
    if (!made || !downlinks)
        abort();
    made->numbers = *numbers;
    made->socket = -1;
    made->packets = (Allowance){limits->packets, limits->packets_at_once, 0, 0};
    made->octets = (Allowance){limits->octets, limits->octets_at_once, 0, 0};
    made->repeats = (Allowance){limits->repeats, limits->repeats, 0, 0};
    made->questions = (Allowance){limits->questions, limits->questions, 0, 0};
    made->heard_at = made->spoke_at = NAN;
    made->loudest = -1;
    made->word_at = -INFINITY;
    made->waiting_end = &made->waiting;
    history_begin(&made->history, ++all->histories);
    missing_clear(&made->missing);
    made->slots = downlinks;
    made->slot_count = count;
    for (int i = 0; i < count; i++) {
        downlinks[i].slot = slots[i];
        downlinks[i].listener = made;
        stream_begin(&downlinks[i].stream, slots[i].first_sequence, slots[i].first_timestamp);
    }
    for (int i = 0; i < LISTS; i++)
        made->place[i] = -1;
    made->next = all->by_number[numbers->number % BUCKETS];
    all->by_number[numbers->number % BUCKETS] = made;
    list_add(all, ALL, made);
}

static void unlink_known(Known *known)
{
    Known **place = &known->transport->known;
    while (*place != known)
        place = &(*place)->next_of_transport;
    *place = known->next_of_transport;
}

void transports_learn(Transports *all, Transport *transport, int socket, const uint8_t *address)
{
    Known **place = place_of(all, socket, address);
    Known *known = *place;
    if (known) {
        unlink_known(known);
    } else {
        known = calloc(1, sizeof *known);
        if (!known)
            abort();
        known->socket = socket;
        memcpy(known->address, address, ADDRESS);
        *place = known;
    }
    known->transport = transport;
    known->next_of_transport = transport->known;
    transport->known = known;
}

void transports_forget(Transports *all, const Transport *transport, int socket, const uint8_t *address)
{
    Known **place = place_of(all, socket, address);
    Known *known = *place;
    if (known && known->transport == transport) {
        *place = known->next;
        unlink_known(known);
        free(known);
    }
}

void transports_drop(Transports *all, Transport *transport)
{
    for (int i = 0; i < LISTS; i++)
        list_remove(all, i, transport);
    for (int i = 0; i < transport->slot_count; i++) {
        unroute(&transport->slots[i]);
        free(transport->slots[i].repeats);
    }
    while (transport->route_count)
        unroute(transport->routes[transport->route_count - 1]);
    while (transport->known)
        transports_forget(all, transport, transport->known->socket, transport->known->address);
    while (transport->waiting) {
        Waiting *first = transport->waiting;
        transport->waiting = first->next;
        free(first);
    }
    Transport **place = &all->by_number[transport->numbers.number % BUCKETS];
    while (*place != transport)
        place = &(*place)->next;
    *place = transport->next;
    history_clear(&transport->history);
    free(transport->slots);
    free(transport->routes);
    free(transport);
}

void list_add(Transports *all, ListName name, Transport *transport)
{
    List *list = &all->lists[name];
    if (transport->place[name] >= 0)
        return;
    if (list->count == list->room) {
        int room = list->room ? 2 * list->room : 64;
        Transport **items = realloc(list->items, (size_t)room * sizeof *items);
        if (!items)
            abort();
        list->items = items;
        list->room = room;
    }
    transport->place[name] = list->count;
    list->items[list->count++] = transport;
}

void list_remove(Transports *all, ListName name, Transport *transport)
{
    List *list = &all->lists[name];
    int place = transport->place[name];
    if (place < 0)
        return;
    Transport *last = list->items[--list->count];
    list->items[place] = last;
    last->place[name] = place;
    transport->place[name] = -1;
}

bool route(Transport *source, Downlink *slot)
{
    if (source->route_count == source->route_room) {
        int room = source->route_room ? 2 * source->route_room : 16;
        Downlink **routes = realloc(source->routes, (size_t)room * sizeof(Downlink *));
        if (!routes)
            return false;
        source->routes = routes;
        source->route_room = room;
    }
    slot->source = source;
    slot->place = source->route_count;
    source->routes[source->route_count++] = slot;
    stream_switch(&slot->stream, source->numbers.number, source->history.id);
    return true;
}

void unroute(Downlink *slot)
{
    Transport *source = slot->source;
    if (!source)
        return;
    Downlink *last = source->routes[--source->route_count];
    source->routes[slot->place] = last;
    last->place = slot->place;
    slot->source = NULL;
}

void switch_routes(Transport *transport)
{
    for (int i = 0; i < transport->route_count; i++)
        stream_switch(&transport->routes[i]->stream, transport->numbers.number, transport->history.id);
}
