#include "kernels/kernels.h"

#include <vector>

#include "kernels/ref/table.h"

namespace rm::kernels {

KernelTable CpuKernels() { return ref::Table(); }

KernelTable ReferenceKernels() { return ref::Table(); }

}  // namespace rm::kernels
