"""The trie above the leaves: growing towards a new key, shrinking when leaves empty, walking downwards.

Its shape depends on the set of occupied leaves only: the root is the lowest place that covers them all. So a far price
makes the trie higher while it rests, and leaves nothing behind.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.bits cimport top_bit
from engine.core.memory cimport block_free, block_grow


cdef bint shelf_init(Shelf* shelf, size_t leaves) noexcept nogil:
    shelf.leaf_fresh = 1
    shelf.branch_fresh = 1
    leaves = leaves if leaves > 2 else 2
    return _resize_leaves(shelf, leaves) and _resize_branches(shelf, leaves)


cdef bint shelf_reserve(Shelf* shelf, uint32_t leaves) noexcept nogil:
    return ((leaves <= shelf.leaf_capacity or _resize_leaves(shelf, leaves))
            and (leaves <= shelf.branch_capacity or _resize_branches(shelf, leaves)))


cdef void shelf_free(Shelf* shelf) noexcept nogil:
    block_free(shelf.levels)
    block_free(shelf.leaves)
    block_free(shelf.branches)


cdef void ladder_init(Ladder* ladder) noexcept nogil:
    ladder.best_key = NO_KEY


cdef uint32_t ladder_add_leaf(Shelf* shelf, Ladder* ladder, int64_t key) noexcept nogil:
    cdef uint32_t leaf = _take_leaf(shelf)
    if leaf == 0:
        return 0
    shelf.leaves[leaf].prefix = key >> FAN_BITS
    shelf.leaves[leaf].parent = 0
    if ladder.root == 0:
        ladder.root = leaf
        ladder.height = 0
        ladder.prefix = key >> FAN_BITS
        return leaf
    if not _raise_root(shelf, ladder, key):
        return 0
    return leaf if _hang(shelf, ladder, key, leaf) else 0


cdef bint _raise_root(Shelf* shelf, Ladder* ladder, int64_t key) noexcept nogil:
    """Adds branches on top until the root covers the key as well."""
    cdef uint32_t branch
    while key >> (FAN_BITS * (ladder.height + 1)) != ladder.prefix:
        branch = _take_branch(shelf)
        if branch == 0:
            return False
        shelf.branches[branch].parent = 0
        shelf.branches[branch].bits = 0
        _set_child(shelf, branch, ladder.prefix & FAN_MASK, ladder.root, ladder.height)
        ladder.root = branch
        ladder.height += 1
        ladder.prefix >>= FAN_BITS
    return True


cdef bint _hang(Shelf* shelf, Ladder* ladder, int64_t key, uint32_t leaf) noexcept nogil:
    """Makes the missing branches between the root and the new leaf. The root is a branch here."""
    cdef uint32_t place = ladder.root
    cdef uint32_t height = ladder.height
    cdef uint32_t child
    cdef int64_t position
    while height > 0:
        position = (key >> (FAN_BITS * height)) & FAN_MASK
        height -= 1
        if (shelf.branches[place].bits >> position) & 1:
            place = shelf.branches[place].children[position]
            continue
        child = leaf if height == 0 else _take_branch(shelf)
        if child == 0:
            return False
        if height > 0:
            shelf.branches[child].bits = 0
        _set_child(shelf, place, position, child, height)
        place = child
    return True


cdef void _set_child(Shelf* shelf, uint32_t branch, int64_t position, uint32_t child, uint32_t height) noexcept nogil:
    """height is the child's: 0 for a leaf."""
    shelf.branches[branch].children[position] = child
    shelf.branches[branch].bits |= <uint64_t>1 << position
    if height == 0:
        shelf.leaves[child].parent = branch
    else:
        shelf.branches[child].parent = branch


cdef void ladder_drop_leaf(Shelf* shelf, Ladder* ladder, uint32_t leaf) noexcept nogil:
    cdef int64_t prefix = shelf.leaves[leaf].prefix
    cdef bint was_best = ladder.best_level >> FAN_BITS == leaf
    cdef uint32_t branch = shelf.leaves[leaf].parent
    cdef uint32_t height = 1
    cdef uint32_t above
    _give_leaf(shelf, leaf)
    while branch != 0:
        shelf.branches[branch].bits &= ~(<uint64_t>1 << ((prefix >> (FAN_BITS * (height - 1))) & FAN_MASK))
        if shelf.branches[branch].bits != 0:
            break
        above = shelf.branches[branch].parent
        _give_branch(shelf, branch)
        branch = above
        height += 1
    if branch == 0:
        ladder.root = ladder.height = 0
        ladder.prefix = 0
        ladder.best_key = NO_KEY
        ladder.best_level = 0
        return
    if was_best:
        ladder.best_level = _highest(shelf, branch, height)
        ladder.best_key = level_key(shelf, ladder.best_level)
    _lower_root(shelf, ladder)


cdef void _lower_root(Shelf* shelf, Ladder* ladder) noexcept nogil:
    """Drops branches from the top while they have a single child, down to LOW_ROOT."""
    cdef uint32_t child
    cdef uint64_t bits
    while ladder.height > LOW_ROOT:
        bits = shelf.branches[ladder.root].bits
        if bits & (bits - 1):
            return
        child = shelf.branches[ladder.root].children[top_bit(bits)]
        ladder.prefix = (ladder.prefix << FAN_BITS) | top_bit(bits)
        _give_branch(shelf, ladder.root)
        ladder.root = child
        ladder.height -= 1
        shelf.branches[child].parent = 0


cdef uint32_t _highest(Shelf* shelf, uint32_t branch, uint32_t height) noexcept nogil:
    """The highest level under a branch of that height."""
    while height > 0:
        branch = shelf.branches[branch].children[top_bit(shelf.branches[branch].bits)]
        height -= 1
    return (branch << FAN_BITS) | <uint32_t>top_bit(shelf.leaves[branch].bits)


cdef uint32_t ladder_below(Shelf* shelf, Ladder* ladder, uint32_t level) noexcept nogil:
    cdef uint32_t leaf = level >> FAN_BITS
    cdef uint64_t bits = shelf.leaves[leaf].bits & ((<uint64_t>1 << (level & FAN_MASK)) - 1)
    if bits != 0:
        return (leaf << FAN_BITS) | <uint32_t>top_bit(bits)
    cdef int64_t prefix = shelf.leaves[leaf].prefix
    cdef uint32_t branch = shelf.leaves[leaf].parent
    cdef uint32_t height = 1
    while branch != 0:
        bits = shelf.branches[branch].bits & ((<uint64_t>1 << (prefix & FAN_MASK)) - 1)
        if bits != 0:
            return _highest(shelf, shelf.branches[branch].children[top_bit(bits)], height - 1)
        prefix >>= FAN_BITS
        branch = shelf.branches[branch].parent
        height += 1
    return 0


cdef uint32_t _take_leaf(Shelf* shelf) noexcept nogil:
    cdef uint32_t leaf = shelf.leaf_free
    if leaf != 0:
        shelf.leaf_free = shelf.leaves[leaf].parent
        return leaf
    if shelf.leaf_fresh == shelf.leaf_capacity and not _resize_leaves(shelf, <size_t>shelf.leaf_capacity * 2):
        return 0
    shelf.leaf_fresh += 1
    return shelf.leaf_fresh - 1


cdef void _give_leaf(Shelf* shelf, uint32_t leaf) noexcept nogil:
    shelf.leaves[leaf].parent = shelf.leaf_free
    shelf.leaf_free = leaf


cdef uint32_t _take_branch(Shelf* shelf) noexcept nogil:
    cdef uint32_t branch = shelf.branch_free
    if branch != 0:
        shelf.branch_free = shelf.branches[branch].parent
        return branch
    if shelf.branch_fresh == shelf.branch_capacity and not _resize_branches(shelf, <size_t>shelf.branch_capacity * 2):
        return 0
    shelf.branch_fresh += 1
    return shelf.branch_fresh - 1


cdef void _give_branch(Shelf* shelf, uint32_t branch) noexcept nogil:
    shelf.branches[branch].bits = 0
    shelf.branches[branch].parent = shelf.branch_free
    shelf.branch_free = branch


cdef bint _resize_leaves(Shelf* shelf, size_t capacity) noexcept nogil:
    if capacity > <size_t>1 << (32 - FAN_BITS):
        return False
    cdef void* levels = block_grow(shelf.levels, capacity * 64 * sizeof(Level))
    if levels == NULL:
        return False
    shelf.levels = <Level*>levels
    cdef void* leaves = block_grow(shelf.leaves, capacity * sizeof(Leaf))
    if leaves == NULL:
        return False
    shelf.leaves = <Leaf*>leaves
    shelf.leaf_capacity = <uint32_t>capacity
    return True


cdef bint _resize_branches(Shelf* shelf, size_t capacity) noexcept nogil:
    cdef void* branches = block_grow(shelf.branches, capacity * sizeof(Branch))
    if branches == NULL:
        return False
    shelf.branches = <Branch*>branches
    shelf.branch_capacity = <uint32_t>capacity
    return True
