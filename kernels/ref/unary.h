// The functions of one tensor and their slopes, in double: one line a function.
#ifndef RM_KERNELS_REF_UNARY_H_
#define RM_KERNELS_REF_UNARY_H_

#include <string>

#include "kernels/api/op.h"

namespace rm::kernels::ref {

// The numbers in the attributes that some functions have; the fallbacks are those of op.h.
struct UnaryParameters {
  double alpha, beta, min, max;
  bool tanh;  // Gelu's approximation
};

[[nodiscard]] UnaryParameters ReadUnaryParameters(const OpInstance& instance);

// A function, or the slope of one, at x.
using UnaryFunction = double(double x, const UnaryParameters& parameters);

// The function of the operator, nullptr for one that is none.
[[nodiscard]] UnaryFunction* FindUnary(const std::string& op);

// The slope that the operator ("TanhGrad") multiplies dY with, as a function of its operand 1: X or
// Y as op.h says. nullptr for an operator that is no such gradient.
[[nodiscard]] UnaryFunction* FindSlope(const std::string& op);

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_UNARY_H_
