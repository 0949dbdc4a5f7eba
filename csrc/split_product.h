// The recurrent product of panel.h on the processor's tiles: float32 split into bfloat16 terms.
#pragma once
#include "amx.h"
#include "panel.h"

namespace unrolled {

// Whether all of a matrix may be split.
inline bool splits(const float* values, int64_t count) {
  Range range;
  for (int64_t i = 0; i < count; i += kTile) range.see(load_some(values + i, count - i));
  return range.splits();
}

// As Product. A row with a number that does not split has its sums made of float32, from the same weights, so that it
// is answered as ever and its neighbours do not notice.
template <int Terms> class SplitProduct {
 public:
  SplitProduct(const float* packed, int inputs, float* out, ptrdiff_t out_stride, const Entered<float>& entered)
      : packed_(reinterpret_cast<const Pairs*>(packed)),
        inputs_(inputs),
        strip_(steps_of(inputs) * kStripStep<Terms>),
        out_(out),
        stride_(out_stride),
        states_(reinterpret_cast<Pairs*>(entered.states)),
        odd_(entered.odd) {}

  void enter(const float* const* rows, int64_t count) const {
    for (int64_t r = 0; r < count; ++r) {
      Range range;
      pack_row<Terms>(rows[r], inputs_, int(r % kTile), states_ + r / kTile * strip_, range);
      odd_[r] = !range.splits();
    }
    settle();
  }

  // back: the columns in the opposite order, each sum in the same.
  void run(const float* const* rows, int64_t count, int begin, int end, bool back) const {
    // Two strips of rows by two columns, and where there is but one by four: tiles are then loaded least.
    const int64_t square = (count + kTile - 1) / kTile / 2 * 2 * kTile;
    const auto by = [&](int width, const auto& each) {
      const int groups = (end - begin + width - 1) / width;
      for (int group = 0; group < groups; ++group) each(begin + (back ? groups - 1 - group : group) * width);
    };
    if (square > 0)
      by(2, [&](int column) {
        for (int64_t r = 0; r < square; r += 2 * kTile) multiply(r, count, column, std::min(column + 1, end - 1));
      });
    if (square < count) by(4, [&](int column) { multiply_last(square, count, column, end); });
    settle();
    for (int64_t r = 0; r < count; ++r)
      if (odd_[r])
        for (int column = begin; column < end; ++column) store(at(r, column), plain(rows[r], column));
  }

 private:
  float* at(int64_t row, int column) const { return out_ + row * stride_ + column * kTile; }
  const Pairs* weights(int column) const { return packed_ + column * strip_; }

  void multiply(int64_t row, int64_t count, int first, int second) const {
    const Pairs* const a = states_ + row / kTile * strip_;
    clear_sums();
    multiply_square<Terms>(a, a + strip_, weights(first), weights(second), strip_ / kStripStep<Terms>);
    store_rows<0>(at(row, first), stride_, count - row);
    store_rows<1>(at(row, second), stride_, count - row);
    store_rows<2>(at(row + kTile, first), stride_, count - row - kTile);
    store_rows<3>(at(row + kTile, second), stride_, count - row - kTile);
  }
  void multiply_last(int64_t row, int64_t count, int column, int end) const {
    int columns[4];
    const Pairs* all[4];
    for (int i = 0; i < 4; ++i) {
      columns[i] = std::min(column + i, end - 1);
      all[i] = weights(columns[i]);
    }
    clear_sums();
    multiply_row<Terms>(states_ + row / kTile * strip_, all, strip_ / kStripStep<Terms>);
    store_rows<0>(at(row, columns[0]), stride_, count - row);
    store_rows<1>(at(row, columns[1]), stride_, count - row);
    store_rows<2>(at(row, columns[2]), stride_, count - row);
    store_rows<3>(at(row, columns[3]), stride_, count - row);
  }

  // What the tiles would have summed up, from the sums of the weights' terms.
  Floats plain(const float* x, int column) const {
    const Pairs* tile = weights(column);
    Floats sum{};
    for (int k = 0; k < inputs_; k += kDepth, tile += kStripStep<Terms>)
      for (int i = 0; i < kDepth && k + i < inputs_; ++i) {
        Floats w{};
        for (int term = Terms - 1; term >= 0; --term) {
          const Pairs pairs = tile[term * kTile + i % kTile];
          w += (Floats)(i < kTile ? pairs << 16 : pairs & int32_t(0xffff0000));
        }
        sum += x[k + i] * w;
      }
    return sum;
  }

  const Pairs* packed_;
  int64_t inputs_;
  ptrdiff_t strip_;
  float* out_;
  ptrdiff_t stride_;
  Pairs* states_;
  char* odd_;
};

// How a scan multiplies: with the processor's tiles. A packed column is a strip.
template <int Terms> struct ByTiles {
  using Number = float;
  using Product = SplitProduct<Terms>;
  static constexpr int64_t kProductBytes = 32 << 10;
  static constexpr bool kStarts = false;
  static ptrdiff_t column_size(int64_t inputs) {
    return steps_of(inputs) * kStripStep<Terms> * (sizeof(Pairs) / sizeof(float));
  }
  static ptrdiff_t states_size(int64_t rows, int64_t inputs) {
    return (rows + 2 * kTile - 1) / (2 * kTile) * 2 * column_size(inputs);
  }
  static void pack(const float* source, ptrdiff_t unit_stride, ptrdiff_t input_stride, int units, int inputs,
                   float* packed) {
    const bool along_sum = unit_stride != 1;
    const Side side{source, units, along_sum ? unit_stride : input_stride, along_sum, 0, inputs};
    Range range;  // of the whole matrix it is known already
    pack_strips<Terms, true>(side, 0, 1, 0, steps_of(inputs), reinterpret_cast<Pairs*>(packed), 0, range);
  }
  // Few rows leave tiles empty.
  static bool rows_to_threads(int64_t rows, int64_t threads, size_t matrix_bytes) {
    return rows >= kTile * threads && matrix_bytes <= (2u << 20);
  }
};

// The same for the product of so many rows with a matrix [outputs, inputs].
inline bool tiles_pay_for_inputs(int64_t rows, int64_t inputs, int64_t outputs) {
  return rows >= 256 && inputs >= 64 && rows * inputs * outputs >= (4 << 20);
}

// Whether the tiles are faster. Measured with three terms: for 16 rows and two threads, a barrier at every step, at 256
// units but not at 128; where each thread has tiles of its own that are mostly full, from 64 units on.
inline bool tiles_pay(int64_t rows, int64_t hidden, int64_t terms, int64_t threads) {
  const int64_t each = rows / threads, tiles = (each + kTile - 1) / kTile;
  return (rows >= 8 && hidden >= (terms == 3 ? 192 : 128)) ||
         (hidden >= 64 && each >= kTile && 4 * each >= 3 * kTile * tiles);
}

}  // namespace unrolled
