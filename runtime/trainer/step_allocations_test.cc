// A step of training allocates nothing: this program counts what goes through operator new.
//
// oneDNN builds a map of its arguments inside each execution; what its library asks for is told apart by the caller's address and
// not counted, since nobody outside can change it.
#include <dlfcn.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "kernels/kernels.h"
#include "runtime/trainer/stepper.h"
#include "runtime/trainer/trainer_testing.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

// Whether code at this address is part of oneDNN's library.
bool IsOneDnn(const void* address) {
  Dl_info info;
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr &&
         std::strstr(info.dli_fname, "dnnl") != nullptr;
}

void* Allocate(size_t bytes, size_t alignment, const void* caller) {
  if (counting && !IsOneDnn(caller)) ++allocations;
  void* memory = nullptr;
  if (alignment <= alignof(std::max_align_t)) {
    memory = std::malloc(bytes == 0 ? 1 : bytes);
  } else if (posix_memalign(&memory, alignment, bytes) != 0) {
    memory = nullptr;
  }
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

// The replaceable ones; those for arrays and without exceptions call these.
void* operator new(size_t bytes) { return Allocate(bytes, 0, __builtin_return_address(0)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return Allocate(bytes, static_cast<size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace rm::trainer {
namespace {

// Allocations in five steps of a job on one rank, after two that warm up.
int AllocationsOf(const ringmaster::v1::ModelSpec& model, const std::string& optimizer_type,
                  int micro_batches) {
  int counted = 0;
  RunGang(1, [&](comm::Communicator& communicator) {
    ReplicaOptions options;
    options.local_batch = 4;
    options.micro_batches = micro_batches;
    options.kernels = kernels::CpuKernels();
    ringmaster::v1::OptimizerSpec spec;
    spec.set_type(optimizer_type);
    auto optimizer = MakeOptimizer(spec);
    RM_CHECK(optimizer.ok());
    auto replica =
        Replica::Build(TrainingGraph(model, 4), options, *std::move(optimizer), communicator);
    RM_CHECK(replica.ok(), replica.status().ToString());
    StepperOptions stepper_options;
    stepper_options.gradient_clip = 1;
    stepper_options.first_rows.assign(static_cast<size_t>(micro_batches), 0);
    auto stepper = Stepper::Create(**replica, communicator, 4.0 * micro_batches, stepper_options);
    RM_CHECK(stepper.ok());
    stepper->SetFill([&](int) {
      for (int row = 0; row < 4; ++row) {
        stepper->labels()[row] = row;
        stepper->weights()[row] = 1;
      }
    });
    for (int step = 0; step < 7; ++step) {
      if (step == 2) counting = true;
      RM_CHECK(stepper->Run(0.01, Votes()).ok());
    }
    counting = false;
    counted = allocations.exchange(0);
  });
  return counted;
}

TEST_CASE("a step allocates nothing, whatever the optimizer and however many micro-batches") {
  for (const char* const optimizer : {"SGD", "AdamW"}) {
    for (const int micro_batches : {1, 3}) {
      CAPTURE(optimizer, micro_batches);
      CHECK(AllocationsOf(SmallJob().model(), optimizer, micro_batches) == 0);
    }
  }
}

TEST_CASE("neither do convolutions, pooling and dropout") {
  ringmaster::v1::ModelSpec model;
  model.set_zoo("convnet");
  (*model.mutable_params())["dropout"] = 0.25;
  CHECK(AllocationsOf(model, "SGD", 1) == 0);
}

TEST_CASE("the counter counts: what it says of a step is worth something") {
  counting = true;
  const std::string text = absl::StrCat(std::string(100, 'x'), allocations.load());
  counting = false;
  CHECK(allocations.exchange(0) >= 1);
  CHECK(text.size() > 100);
}

}  // namespace
}  // namespace rm::trainer
