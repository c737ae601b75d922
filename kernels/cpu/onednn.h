// What our kernels share of oneDNN: the engine, descriptions of tensors and of primitives.
//
// oneDNN throws dnnl::error. Functions here that may throw say so; they and all other calls to
// oneDNN run inside CatchOneDnn, so that no exception leaves the file that makes the call. What
// differs between versions of oneDNN is in onednn_version.h.
#ifndef RM_KERNELS_CPU_ONEDNN_H_
#define RM_KERNELS_CPU_ONEDNN_H_

#include <dnnl.hpp>
#include <exception>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "kernels/api/op.h"
#include "kernels/api/tensor.h"

namespace rm::kernels::cpu {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

// --- The library ---

// The CPU engine, shared by all kernels, for ever. The first call caps oneDNN's instruction set as
// RINGMASTER_ISA caps ours. Throws. Thread-safe.
[[nodiscard]] const dnnl::engine& Engine();

// True when oneDNN generates AVX-512 code (ONEDNN_MAX_CPU_ISA may forbid it, too), or at least AVX2
// code. Do not throw.
[[nodiscard]] bool OneDnnHasAvx512();
[[nodiscard]] bool OneDnnHasAvx2();

// True when the CPU multiplies bfloat16 (avx512_bf16 or amx) and oneDNN uses that. Does not throw.
[[nodiscard]] bool OneDnnHasBfloat16();

// "oneDNN 2.7.2": the library that is loaded, not the one that was compiled against.
[[nodiscard]] std::string OneDnnVersion();

// Runs `body` and turns what it throws into an Internal error that says `what` was tried.
template <typename Body>
[[nodiscard]] absl::Status CatchOneDnn(absl::string_view what, const Body& body) {
  try {
    body();
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN could not ", what, ": ", error.what(),
                                            " (status ", static_cast<int>(error.status), ")"));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("oneDNN could not ", what, ": ", error.what()));
  }
  return absl::OkStatus();
}

// --- Tensors ---

// A tensor as it lies in memory. REQUIRES: float32, bfloat16 or uint8, rank 1 to 5, no dimension of
// 0. Throws.
[[nodiscard]] Desc Describe(const TensorType& type);

// A tensor in the format that suits oneDNN best. REQUIRES: dtype as above. Throws.
[[nodiscard]] Desc DescribeAny(const Dims& dims, DType dtype = DType::kFloat32);

// A matrix of `rows` by `columns` whose transpose lies in memory, row by row, if `transposed`, else
// itself. REQUIRES: dtype as above. Throws.
[[nodiscard]] Desc DescribeMatrix(int64_t rows, int64_t columns, bool transposed,
                                  DType dtype = DType::kFloat32);

// --- Primitives ---

// The attributes of all our primitives: scratch memory is ours to give; ends with relu if asked to.
// Throws.
[[nodiscard]] dnnl::primitive_attr PrimitiveAttributes(bool relu);
// The same for a primitive whose result is multiplied by a number. Throws.
[[nodiscard]] dnnl::primitive_attr ScalingAttributes(float factor);

// A convolution in oneDNN's terms. Throws nothing once made.
struct Convolution {
  Desc x, w, y;  // of w, a group's dimension comes first when there are several
  Desc dw;       // w's gradient, float32 whatever w is
  Desc bias;     // of no dimensions: absent
  Dims strides;
  Dims dilates;  // 0 is dense
  Dims pads_begin, pads_end;
};

// Each takes the algorithm, Winograd's or the direct one, that oneDNN's own rule chooses; it goes
// by shapes, threads and instruction set, never by a timing. Throw.
[[nodiscard]] dnnl::convolution_forward::primitive_desc DescribeForward(
    const Convolution& conv, const dnnl::primitive_attr& attributes);
[[nodiscard]] dnnl::convolution_backward_data::primitive_desc DescribeBackwardData(
    const Convolution& conv);
[[nodiscard]] dnnl::convolution_backward_weights::primitive_desc DescribeBackwardWeights(
    const Convolution& conv);

// An average pool in oneDNN's terms, without dilation. Throws nothing once made.
struct Pooling {
  Desc x, y;
  bool count_padding = false;
  Dims strides, kernel;
  Dims pads_begin, pads_end;
};

// Throw.
[[nodiscard]] dnnl::pooling_forward::primitive_desc DescribeAverage(const Pooling& pooling);
[[nodiscard]] dnnl::pooling_backward::primitive_desc DescribeAverageGradient(
    const Pooling& pooling);

// y = a · b + bias; a bias of no dimensions is absent. Throws.
[[nodiscard]] dnnl::matmul::primitive_desc DescribeMatMul(const Desc& a, const Desc& b,
                                                          const Desc& bias, const Desc& y,
                                                          const dnnl::primitive_attr& attributes);

// True when oneDNN has no generated code for a primitive and would run its slow reference loops.
[[nodiscard]] bool IsSlow(const dnnl::primitive_desc_base& description);

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_ONEDNN_H_
