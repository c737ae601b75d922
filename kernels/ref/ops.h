// The reference kernels: each operator of kernels/api/op.h in the most obvious C++ there is.
//
// They are the truth the fast kernels are checked against, and the fallback for what those leave
// out. All of them take float32 in the layout kPlain only (Reorder: any), sum in double where a sum
// is long, use one thread, and write no memory but their outputs. The functions are thread-safe;
// the kernels they make are as Kernel says.
//
// kernels/ref/table.h lists them; each is defined in the file of its name (MakeConv in conv.cc).
#ifndef RM_KERNELS_REF_OPS_H_
#define RM_KERNELS_REF_OPS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "kernels/api/kernel.h"

namespace rm::kernels::ref {

// Makes the kernel for an instance. REQUIRES: the entry's `supports`.
using Make = absl::StatusOr<std::unique_ptr<Kernel>>(const OpInstance& instance,
                                                     const KernelOptions& options);

Make MakeAdd;
Make MakeBatchNorm;
Make MakeBatchNormGrad;
Make MakeBatchNormTraining;
Make MakeConv;
Make MakeConvGradInput;
Make MakeConvGradWeight;
Make MakeCopy;  // Flatten and Reshape
Make MakeCountCorrect;
Make MakeGemm;
Make MakeLayerNorm;
Make MakeLayerNormGrad;
Make MakeMatMul;
Make MakeMaxPool;
Make MakeMaxPoolGrad;
Make MakeReduceSum;
Make MakeRelu;
Make MakeReluGrad;
Make MakeReorder;
Make MakeSgdUpdate;
Make MakeSoftmax;  // LogSoftmax, too
Make MakeSoftmaxCrossEntropy;
Make MakeSoftmaxCrossEntropyGrad;
Make MakeSoftmaxGrad;  // LogSoftmaxGrad, too

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_OPS_H_
