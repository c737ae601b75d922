// The fast kernels of a CPU, by the functions of their rows in table.cc.
//
// Each group is defined in the file of its name: conv.cc, gemm.cc, … `Supports…` says which
// instances and layouts a kernel takes, `Choose…Layouts` in which it is fastest, `Make…` makes it.
// All are thread-safe.
#ifndef RM_KERNELS_CPU_OPS_H_
#define RM_KERNELS_CPU_OPS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "kernels/api/kernel.h"

namespace rm::kernels::cpu {

using Supports = bool(const OpInstance& instance);
using ChooseLayouts = LayoutChoice(const OpInstance& instance, const KernelOptions& options);
using Make = absl::StatusOr<std::unique_ptr<Kernel>>(const OpInstance& instance,
                                                     const KernelOptions& options);

// Convolutions by oneDNN: images in any layout, weights plain.
Supports SupportsConv, SupportsConvGradInput, SupportsConvGradWeight;
ChooseLayouts ChooseConvLayouts, ChooseConvGradInputLayouts, ChooseConvGradWeightLayouts;
Make MakeConv, MakeConvGradInput, MakeConvGradWeight;

// The weight gradient of a first layer by our own loops: at most three plain input
// channels, blocked dY.
Supports SupportsFirstConvGradWeight;
Make MakeFirstConvGradWeight;

// Rows normalised: layer norm, and softmax along the last axis. Plain.
Supports SupportsLayerNorm, SupportsLayerNormGrad, SupportsSoftmax, SupportsSoftmaxGrad;
Make MakeLayerNorm, MakeLayerNormGrad, MakeSoftmax, MakeSoftmaxGrad;

// Recurrent layers by products over all steps at once. Plain.
Supports SupportsLstm, SupportsLstmGrad;
Make MakeLstm, MakeLstmGrad;

// Products by oneDNN. Plain.
Supports SupportsGemm, SupportsMatMul;
Make MakeGemm, MakeMatMul;

// Cast between float32 and bfloat16, and Add of bfloat16 tensors of one shape: any one layout.
Supports SupportsCast, SupportsBfloat16Add;
ChooseLayouts ChooseCastLayouts;
Make MakeCast, MakeBfloat16Add;

// Reorder of float32, bfloat16 and uint8 images by oneDNN, between any two layouts.
Supports SupportsReorder;
ChooseLayouts ChooseReorderLayouts;  // those it has: they are what it is for
Make MakeReorder;

// Batch normalisation, its training form and gradient: any layout, the same for all images.
Supports SupportsBatchNorm;
ChooseLayouts ChooseBatchNormLayouts, ChooseBatchNormGradLayouts;
Make MakeBatchNorm, MakeBatchNormTraining, MakeBatchNormGrad;

// Element by element: any layout, the same for all images.
Supports SupportsRelu, SupportsReluGrad;
ChooseLayouts ChooseReluLayouts, ChooseReluGradLayouts;
Make MakeRelu, MakeReluGrad;

// Arithmetic of equal shapes in any one layout, or with any broadcast, plain.
Supports SupportsPair;
ChooseLayouts ChoosePairLayouts;
Make MakePair;

// Pow by one exponent with its gradient, and Where. Plain.
Supports SupportsPow, SupportsPowGrad, SupportsWhere;
Make MakePow, MakePowGrad, MakeWhere;

// Functions of one tensor and their gradients: any layout, the same for all operands.
Supports SupportsFunction, SupportsSlope;
ChooseLayouts ChooseFunctionLayouts, ChooseSlopeLayouts;
Make MakeFunction, MakeSlope;

// Movement of elements of any dtype. Plain.
Supports SupportsMovement, SupportsGather;
Make MakeConcat, MakeExpand, MakeSlice, MakeSliceGrad, MakeSplit, MakeTranspose;
Make MakeGather, MakeGatherGrad;

// Pooling in any layout, the same for all operands.
Supports SupportsMaxPool, SupportsMaxPoolGrad;
ChooseLayouts ChooseMaxPoolLayouts, ChooseMaxPoolGradLayouts;
Make MakeMaxPool, MakeMaxPoolGrad;

// Average pools by oneDNN: any layout, the same for both images.
Supports SupportsAveragePool;  // of all four operators
ChooseLayouts ChooseAveragePoolLayouts;
Make MakeAveragePool, MakeAveragePoolGrad;

// Sums and means over any axes; their gradients over neighbouring ones. Plain.
Supports SupportsReduceSum, SupportsReduceGrad;
Make MakeReduceSum, MakeReduceGrad;

// The optimizers' updates and dropout. Plain.
Supports SupportsAdamUpdate, SupportsDropoutTraining;
Make MakeAdamUpdate, MakeDropoutTraining;

// Loss and update. Plain.
Supports SupportsSoftmaxCrossEntropy, SupportsSoftmaxCrossEntropyGrad, SupportsSgdUpdate;
Make MakeSoftmaxCrossEntropy, MakeSoftmaxCrossEntropyGrad, MakeSgdUpdate;

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_OPS_H_
