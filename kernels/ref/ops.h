// The reference kernels: each operator of kernels/api/op.h in the most obvious C++ there is.
//
// They are the truth the fast kernels are checked against, and the fallback for what those leave
// out. All of them take every dtype that op.h allows, in the layout kPlain only (Reorder: any), sum
// in double where a sum is long, use one thread, and write no memory but their outputs. The
// functions are thread-safe; the kernels they make are as Kernel says.
//
// kernels/ref/table.h lists them; each is defined in the file of its name (MakeConv in conv.cc) or
// of its family (broadcast.cc, cast.cc, gather.cc, movement.cc, unary.cc).
#ifndef RM_KERNELS_REF_OPS_H_
#define RM_KERNELS_REF_OPS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "kernels/api/kernel.h"

namespace rm::kernels::ref {

// Makes the kernel for an instance. REQUIRES: the entry's `supports`.
using Make = absl::StatusOr<std::unique_ptr<Kernel>>(const OpInstance& instance,
                                                     const KernelOptions& options);

Make MakeAdamUpdate;
Make MakeArithmetic;  // Add, Sub, Mul, Div, Max, Min, Mod
Make MakeAveragePool;      // GlobalAveragePool, too
Make MakeAveragePoolGrad;  // GlobalAveragePoolGrad, too
Make MakeBatchNorm;
Make MakeBatchNormGrad;
Make MakeBatchNormTraining;
Make MakeCast;
Make MakeCompare;  // Equal, Less, …
Make MakeConcat;
Make MakeConv;
Make MakeConvGradInput;
Make MakeConvGradWeight;
Make MakeCopy;  // Dropout, Flatten and Reshape
Make MakeCountCorrect;
Make MakeDropoutTraining;
Make MakeExpand;
Make MakeGather;  // GatherElements and GatherND too
Make MakeGatherGrad;  // of all three
Make MakeGemm;
Make MakeIsNaN;
Make MakeLayerNorm;
Make MakeLayerNormGrad;
Make MakeLogic;  // And, Or
Make MakeLstm;
Make MakeLstmGrad;
Make MakeMatMul;
Make MakeMaxPool;
Make MakeMaxPoolGrad;
Make MakeMeanSquaredError;
Make MakeMeanSquaredErrorGrad;
Make MakeNot;
Make MakePow;
Make MakePowGrad;
Make MakeReduce;      // ReduceSum, ReduceMean, ReduceMax
Make MakeReduceGrad;  // ReduceSumGrad, ReduceMeanGrad
Make MakeRelu;
Make MakeReluGrad;
Make MakeReorder;
Make MakeSgdUpdate;
Make MakeSigmoidCrossEntropy;
Make MakeSigmoidCrossEntropyGrad;
Make MakeSlice;
Make MakeSliceGrad;
Make MakeSoftmax;  // LogSoftmax, too
Make MakeSoftmaxCrossEntropy;
Make MakeSoftmaxCrossEntropyGrad;
Make MakeSoftmaxGrad;  // LogSoftmaxGrad, too
Make MakeSplit;
Make MakeTranspose;
Make MakeTrilu;
Make MakeUnary;  // Abs, …, Tanh
Make MakeUnaryGrad;  // AbsGrad, …, TanhGrad
Make MakeWhere;

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_OPS_H_
