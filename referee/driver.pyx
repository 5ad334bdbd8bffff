"""Drives any library of the judge's interface in one thread: every message, every report copied, counted and hashed.

The engine's reports go through a ring of 4,096 in this process instead of to another thread, so the figure is what the
engine itself costs. The hash covers the fills in order; the sum covers all reports in any order within a message.
"""
from libc.stdint cimport int64_t, uint8_t, uint64_t
from posix.dlfcn cimport RTLD_LOCAL, RTLD_NOW, dlclose, dlopen, dlsym
from posix.time cimport CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID, clock_gettime, clockid_t, timespec

from referee.abi cimport (
    TRADE_REPORT, CancelOrder, ModifyOrder, NewOrder, Report, Transport)

cdef enum:
    RING = 4096

cdef struct Message:        # 40 bytes: the kind (0 new, 1 cancel, 2 modify), then the struct of that kind
    uint64_t kind
    NewOrder order

cdef struct Result:
    int64_t elapsed_ns
    int64_t cpu_ns          # of this thread: what it had of a busy machine
    uint64_t reports
    uint64_t fills
    uint64_t fills_hash
    uint64_t reports_sum

cdef struct Engine:
    void* library
    void (*init)(uint64_t, const Transport*, void*) noexcept nogil
    void (*shutdown)() noexcept nogil
    void (*new)(const NewOrder*) noexcept nogil
    void (*cancel)(const CancelOrder*) noexcept nogil
    void (*modify)(const ModifyOrder*) noexcept nogil
    void (*flush)() noexcept nogil

cdef Report[RING] ring
cdef Result result
cdef Transport transport


cdef public int64_t drive(const char* path, const void* messages, uint64_t count, void* out) noexcept nogil:
    """Fills in a Result. Returns 0, or -1 when the library or one of its functions cannot be had."""
    global result
    cdef Engine engine
    cdef int64_t started, started_cpu
    if not _load(&engine, path):
        return -1
    result = Result(0, 0, 0, 0, 0, 0)
    transport.create, transport.push, transport.drain = NULL, _push, NULL
    transport.flush, transport.destroy = NULL, NULL
    engine.init(1, &transport, NULL)
    started, started_cpu = _now_ns(CLOCK_MONOTONIC), _now_ns(CLOCK_THREAD_CPUTIME_ID)
    _send(&engine, <const Message*>messages, count)
    engine.flush()
    result.cpu_ns = _now_ns(CLOCK_THREAD_CPUTIME_ID) - started_cpu
    result.elapsed_ns = _now_ns(CLOCK_MONOTONIC) - started
    engine.shutdown()
    dlclose(engine.library)
    (<Result*>out)[0] = result
    return 0


cdef void _send(Engine* engine, const Message* messages, uint64_t count) noexcept nogil:
    cdef const Message* message = messages
    cdef const Message* end = messages + count
    while message != end:
        if <uint8_t>message.kind == 0:
            engine.new(&message.order)
        elif <uint8_t>message.kind == 1:
            engine.cancel(<const CancelOrder*>&message.order)
        else:
            engine.modify(<const ModifyOrder*>&message.order)
        message += 1


cdef int _push(void* queue, const Report* report) noexcept nogil:
    ring[result.reports % RING] = report[0]
    result.reports += 1
    if report.kind == TRADE_REPORT:
        result.fills += 1
        result.fills_hash = _mix(result.fills_hash ^ _mix(report.maker_order_id ^ _mix(
            report.taker_order_id ^ _mix(<uint64_t>report.price_ticks ^ _mix(report.sequence ^ report.qty_lots)))))
    else:
        result.reports_sum += (report.kind + 1) * (
            report.sequence * 31 + report.order_id * 7 + <uint64_t>report.price_ticks + report.side)
    return 1


cdef inline uint64_t _mix(uint64_t value) noexcept nogil:
    value *= <uint64_t>0x9E3779B97F4A7C15
    return value ^ (value >> 29)


cdef bint _load(Engine* engine, const char* path) noexcept nogil:
    engine.library = dlopen(path, RTLD_NOW | RTLD_LOCAL)
    if engine.library == NULL:
        return False
    engine.init = <void (*)(uint64_t, const Transport*, void*) noexcept nogil>dlsym(engine.library, "engine_init")
    engine.shutdown = <void (*)() noexcept nogil>dlsym(engine.library, "engine_shutdown")
    engine.new = <void (*)(const NewOrder*) noexcept nogil>dlsym(engine.library, "engine_on_new_order")
    engine.cancel = <void (*)(const CancelOrder*) noexcept nogil>dlsym(engine.library, "engine_on_cancel")
    engine.modify = <void (*)(const ModifyOrder*) noexcept nogil>dlsym(engine.library, "engine_on_modify")
    engine.flush = <void (*)() noexcept nogil>dlsym(engine.library, "engine_flush")
    return (engine.init != NULL and engine.shutdown != NULL and engine.new != NULL and engine.cancel != NULL
            and engine.modify != NULL and engine.flush != NULL)


cdef int64_t _now_ns(clockid_t clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return <int64_t>now.tv_sec * 1000000000 + now.tv_nsec
