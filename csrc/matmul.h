// Matrix products over all time steps at once, on the processor's tiles: C = A B with either side transposed.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "amx.h"
#include "team.h"
#include "workspace.h"

namespace unrolled {

// Room for strips.
class Strips {
 public:
  explicit Strips(size_t size) : floats_(size * kTile) {}
  Pairs* data() const { return reinterpret_cast<Pairs*>(floats_.data()); }

 private:
  Workspace<float> floats_;
};

struct Destination {
  float* data;  // [rows, columns]
  int64_t rows, columns;
};

// A right-hand side and where its product goes.
struct Right {
  Side side;
  Destination c;
  int64_t strips() const { return (side.count + 31) / 32 * 2; }
};

// Tiles 0 to 3: 32 rows and columns of C.
inline void begin_block(const Destination& c, int64_t row, int64_t column, bool first, float* edge) {
  const int64_t rows = std::min<int64_t>(c.rows - row, 32), columns = std::min<int64_t>(c.columns - column, 32);
  const float* from = c.data + row * c.columns + column;
  int64_t stride = c.columns;
  if (first) return clear_sums();
  if (rows < 32 || columns < 32) {
    std::memset(edge, 0, 32 * 32 * sizeof(float));
    for (int64_t r = 0; r < rows; ++r) std::memcpy(edge + r * 32, from + r * stride, columns * sizeof(float));
    from = edge;
    stride = 32;
    settle();
  }
  load_tile<0>(from, stride * 4);
  load_tile<1>(from + 16, stride * 4);
  load_tile<2>(from + 16 * stride, stride * 4);
  load_tile<3>(from + 16 * stride + 16, stride * 4);
}

inline void end_block(const Destination& c, int64_t row, int64_t column, float* edge) {
  const int64_t rows = std::min<int64_t>(c.rows - row, 32), columns = std::min<int64_t>(c.columns - column, 32);
  const bool whole = rows == 32 && columns == 32;
  float* const to = whole ? c.data + row * c.columns + column : edge;
  const int64_t stride = whole ? c.columns : 32;
  store_tile<0>(to, stride * 4);
  store_tile<1>(to + 16, stride * 4);
  store_tile<2>(to + 16 * stride, stride * 4);
  store_tile<3>(to + 16 * stride + 16, stride * 4);
  settle();
  if (whole) return;
  for (int64_t r = 0; r < rows; ++r)
    std::memcpy(c.data + (row + r) * c.columns + column, edge + r * 32, columns * sizeof(float));
}

// C = A B for every B of `rights`; A is split once for all. The threads share the Bs' strips and split A's rows, so
// no element's sum depends on how many there are. False where the numbers do not split; C is then undefined.
template <int Terms> bool matmul(const Side& a, const std::vector<Right>& rights, int threads) {
  // A block of A, 128 rows by 1024 elements of the sum, stays in the second-level cache while the strips of B pass it.
  constexpr int64_t kBlockRows = 128, kBlockSteps = 32;
  constexpr int64_t kPacked = 4 << 20;  // bytes of B at once
  const int64_t steps = steps_of(a.last), a_squares = (a.count + 31) / 32;
  int64_t b_strips = 0;
  for (const Right& right : rights) b_strips += right.strips();
  const int64_t fit = kPacked / (kStripStep<Terms> * int64_t(sizeof(Pairs)) * b_strips);
  const int64_t chunk = std::min(steps, std::max<int64_t>(fit / kBlockSteps, 1) * kBlockSteps);
  const ptrdiff_t b_strip = chunk * kStripStep<Terms>, a_strip = kBlockSteps * kStripStep<Terms>;
  const Strips shared(b_strips * b_strip), own(kBlockRows / kTile * a_strip * threads);
  std::atomic<bool> splits{true};

  run_team(threads, [&](const Member& member) {
    const Tiles tiles;
    alignas(64) float edge[32 * 32];
    Range range;
    Pairs* const block = own.data() + kBlockRows / kTile * a_strip * member.thread;
    const int64_t begin = a_squares * member.thread / member.threads * 32;
    const int64_t end = std::min(a.count, a_squares * (member.thread + 1) / member.threads * 32);
    for (int64_t from = 0; from < steps; from += chunk) {
      const int64_t length = std::min(chunk, steps - from);
      const int64_t mine = length * member.thread / member.threads;
      Pairs* packed = shared.data();
      for (const Right& right : rights) {
        pack_strips<Terms, true>(right.side, 0, right.strips(), (from + mine) * kDepth,
                                 length * (member.thread + 1) / member.threads - mine,
                                 packed + mine * kStripStep<Terms>, b_strip, range);
        packed += right.strips() * b_strip;
      }
      member.wait();
      for (int64_t row = begin; row < end; row += kBlockRows)
        for (int64_t at = 0; at < length; at += kBlockSteps) {
          const int64_t rows = std::min(kBlockRows, end - row), depth = std::min(kBlockSteps, length - at);
          pack_strips<Terms, false>(a, row, (rows + 31) / 32 * 2, (from + at) * kDepth, depth, block, a_strip, range);
          settle();
          const Pairs* columns = shared.data() + at * kStripStep<Terms>;
          for (const Right& right : rights)
            for (int64_t q = 0; q < right.strips(); q += 2, columns += 2 * b_strip)
              for (int64_t r = 0; r < rows; r += 32) {
                const Pairs* const left = block + r / kTile * a_strip;
                begin_block(right.c, row + r, q * kTile, from + at == 0, edge);
                multiply_square<Terms>(left, left + a_strip, columns, columns + b_strip, depth);
                end_block(right.c, row + r, q * kTile, edge);
              }
        }
      member.wait();
    }
    if (!range.splits()) splits.store(false, std::memory_order_relaxed);
  });
  return splits.load();
}

}  // namespace unrolled
