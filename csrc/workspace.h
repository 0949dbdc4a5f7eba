// Scratch memory, aligned to a cache line and not initialised.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace unrolled {

template <typename T> class Workspace {
 public:
  explicit Workspace(size_t size) : raw_(new char[size * sizeof(T) + 64]) {}
  T* data() const { return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(raw_.get()) + 63) & ~uintptr_t(63)); }

 private:
  std::unique_ptr<char[]> raw_;
};

}  // namespace unrolled
