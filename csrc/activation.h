// The activations that the simple recurrent network can have, in the order in which Python numbers them.
#pragma once
#include "vector.h"

namespace unrolled {

enum class Activation { tanh, relu, sigmoid, identity };

template <typename T> inline Vec<T> activate(Activation activation, Vec<T> x) {
  switch (activation) {
    case Activation::tanh:
      return hyperbolic_tangent(x);
    case Activation::relu:
      return x < T(0) ? Vec<T>{} : x;
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::identity:
      break;
  }
  return x;
}

}  // namespace unrolled
