// Memory for what is needed at every step of training: scratch of the kernels, and their results.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace unrolled {

constexpr size_t kLarge = 1 << 18;  // bytes

// The small blocks of one thread, of sizes that are powers of two.
class SmallBlocks {
 public:
  SmallBlocks() = default;
  SmallBlocks(const SmallBlocks&) = delete;
  SmallBlocks& operator=(const SmallBlocks&) = delete;
  ~SmallBlocks() {
    for (Few& few : kept_)
      while (few.count) operator delete(few.blocks[--few.count], std::align_val_t(kSmallest));
  }
  static SmallBlocks& own() {
    static thread_local SmallBlocks blocks;
    return blocks;
  }

#if defined(__SANITIZE_ADDRESS__)
  // None is kept, and none larger than asked for: so the sanitizer sees what is written past its end.
  static size_t rounded(size_t size) { return size; }
  char* find(size_t) { return nullptr; }
  bool keep(char*, size_t) { return false; }
#else
  static size_t rounded(size_t size) { return kSmallest << index(size); }
  // Or null.
  char* find(size_t size) {
    Few& few = kept_[index(size)];
    return few.count ? few.blocks[--few.count] : nullptr;
  }
  // False if the block is not kept.
  bool keep(char* block, size_t size) {
    Few& few = kept_[index(size)];
    if (few.count == kMost) return false;
    few.blocks[few.count++] = block;
    return true;
  }
#endif

 private:
  static constexpr size_t kSmallest = 64;
  static constexpr int kMost = 8, kSizes = 13;  // from 64 bytes to kLarge
  struct Few {
    char* blocks[kMost];
    int count = 0;
  };
  static int index(size_t size) { return size <= kSmallest ? 0 : 64 - __builtin_clzll((size - 1) / kSmallest); }
  Few kept_[kSizes];
};

// Blocks of memory that are kept to be used again. Large ones, for the system hands out fresh pages zeroed, a few KB at
// a time, which takes longer than some of the products that they are for: every thread finds those. Small ones, for a
// call takes a dozen, and the C library as long to align them as a short call to do its work: each thread keeps its
// own.
class Blocks {
 public:
  // Not initialised, aligned to a cache line. Throws std::bad_alloc.
  static char* take(size_t bytes) {
    const size_t size = bytes + kHeader < kLarge ? SmallBlocks::rounded(bytes + kHeader) : bytes + kHeader;
    char* const kept = size < kLarge ? SmallBlocks::own().find(size) : shared().find(size);
    if (kept) return kept + kHeader;
    char* const block = static_cast<char*>(operator new(size, alignment(size)));
#if defined(__linux__)
    if (size >= kHugePage) madvise(block, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
    *reinterpret_cast<size_t*>(block) = size;
    return block + kHeader;
  }
  static void give_back(char* data) noexcept {
    char* const block = data - kHeader;
    const size_t size = size_of(block);
    if (!(size < kLarge ? SmallBlocks::own().keep(block, size) : shared().keep(block))) release(block);
  }

 private:
  static constexpr size_t kHeader = 64, kHugePage = 2 << 20;
  static constexpr size_t kMost = 256 << 20;  // bytes kept, in so many blocks
  static constexpr size_t kMostBlocks = 32;

  static size_t size_of(const char* block) { return *reinterpret_cast<const size_t*>(block); }
  static std::align_val_t alignment(size_t size) { return std::align_val_t(size >= kHugePage ? kHugePage : kHeader); }
  static void release(char* block) noexcept { operator delete(block, alignment(size_of(block))); }

  static Blocks& shared() {
    static Blocks& blocks = *new Blocks;  // threads may outlive the static objects of a process
    return blocks;
  }
  Blocks() { kept_.reserve(kMostBlocks); }

  // The lock is tried, not waited for: in a child that was forked while it was held it would never be free.
  char* find(size_t size) {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return nullptr;
    auto best = kept_.end();
    for (auto it = kept_.begin(); it != kept_.end(); ++it)
      if (size_of(*it) >= size && size_of(*it) <= size + size / 4 &&
          (best == kept_.end() || size_of(*it) < size_of(*best)))
        best = it;
    if (best == kept_.end()) return nullptr;
    char* const found = *best;
    forget(best);
    return found;
  }
  // False if the block is not kept.
  bool keep(char* block) noexcept {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || size_of(block) > kMost) return false;
    while (bytes_ + size_of(block) > kMost || kept_.size() == kMostBlocks) {  // the oldest make room
      char* const oldest = kept_.front();
      forget(kept_.begin());
      release(oldest);
    }
    bytes_ += size_of(block);
    kept_.push_back(block);
    return true;
  }
  void forget(std::vector<char*>::iterator it) {
    bytes_ -= size_of(*it);
    kept_.erase(it);
  }

  std::mutex mutex_;
  std::vector<char*> kept_;  // the oldest first
  size_t bytes_ = 0;
};

// Scratch memory, aligned to a cache line and not initialised.
template <typename T> class Workspace {
 public:
  explicit Workspace(size_t size) : data_(reinterpret_cast<T*>(Blocks::take(size * sizeof(T)))) {}
  Workspace(Workspace&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  ~Workspace() {
    if (data_) Blocks::give_back(reinterpret_cast<char*>(data_));
  }
  T* data() const { return data_; }

 private:
  T* data_;
};

}  // namespace unrolled
