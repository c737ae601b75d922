// A step of training allocates nothing: this program counts what goes through operator new.
//
// oneDNN builds a map of its arguments inside each execution; what its library asks for is told apart by the caller's address and
// not counted, since nobody outside can change it.
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "kernels/kernels.h"
#include "runtime/graph/training.h"
#include "runtime/model/model.h"
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

namespace pb = ::ringmaster::v1;

constexpr int64_t kRows = 4;  // of a micro-batch or shard

// How a job is trained. Shards: exact mode, and then all of them are this rank's micro-batches.
struct Settings {
  std::string optimizer = "SGD";
  int micro_batches = 1;
  int shards = 0;
  graph::Precision precision = graph::Precision::kFloat32;
};

// A built-in model, small, with these parameters.
pb::ModelSpec Model(const std::string& name,
                    std::initializer_list<std::pair<const char*, double>> params) {
  pb::ModelSpec model;
  model.set_zoo(name);
  for (const auto& [key, value] : params) (*model.mutable_params())[key] = value;
  return model;
}

// Class 0 and, where the model reads tokens, token 0 everywhere.
void FillRows(Replica& replica, Stepper& stepper) {
  graph::Program& program = replica.program();
  const auto input = program.InputType(model::kInput);
  const auto labels = program.InputType(graph::kLabels);
  RM_CHECK(input.ok() && labels.ok());
  std::memset(stepper.features(), 0, input->bytes());
  std::fill_n(stepper.labels(), labels->elements(), 0);
  std::fill_n(stepper.weights(), labels->elements(), 1.0F);
}

// Allocations in five steps of a job on one rank, after two that warm up.
int AllocationsOf(const pb::ModelSpec& model, const Settings& settings) {
  int counted = 0;
  RunGang(1, [&](comm::Communicator& communicator) {
    ReplicaOptions options;
    options.local_batch = kRows;
    options.micro_batches = settings.micro_batches;
    options.virtual_shards = settings.shards;
    options.kernels = kernels::CpuKernels();
    options.precision = settings.precision;
    pb::OptimizerSpec spec;
    spec.set_type(settings.optimizer);
    auto optimizer = MakeOptimizer(spec);
    RM_CHECK(optimizer.ok());
    auto replica =
        Replica::Build(TrainingGraph(model, kRows), options, *std::move(optimizer), communicator);
    RM_CHECK(replica.ok(), replica.status().ToString());
    const auto parts = static_cast<size_t>((*replica)->micro_batches());
    StepperOptions stepper_options;
    stepper_options.gradient_clip = 1;
    stepper_options.first_rows.assign(parts, 0);
    auto stepper =
        Stepper::Create(**replica, communicator, static_cast<double>(parts) * kRows, stepper_options);
    RM_CHECK(stepper.ok());
    stepper->SetFill([&](int) { FillRows(**replica, *stepper); });
    for (int step = 0; step < 7; ++step) {
      if (step == 2) counting = true;
      const auto outcome = stepper->Run(0.001, Votes());
      RM_CHECK(outcome.ok(), outcome.status().ToString());
    }
    counting = false;
    counted = allocations.exchange(0);
  });
  return counted;
}

TEST_CASE("a step allocates nothing, whatever the optimizer and however many micro-batches or shards") {
  for (const char* const optimizer : {"SGD", "Adam", "AdamW"}) {
    for (const Settings& settings :
         {Settings{optimizer, 1, 0}, Settings{optimizer, 3, 0}, Settings{optimizer, 1, 8}}) {
      CAPTURE(optimizer, settings.micro_batches, settings.shards);
      CHECK(AllocationsOf(SmallJob().model(), settings) == 0);
    }
  }
}

TEST_CASE("neither do convolutions, normalisation, attention and dropout, in fast mode and in exact mode, of either precision") {
  const pb::ModelSpec models[] = {
      Model("convnet", {{"height", 8}, {"width", 8}, {"dropout", 0.25}}),
      Model("resnet18", {{"height", 8}, {"width", 8}}),
      Model("gpt", {{"vocabulary", 7}, {"context", 8}, {"width", 16}, {"heads", 2}, {"layers", 2}}),
  };
  for (const pb::ModelSpec& model : models) {
    for (const int shards : {0, 2}) {
      for (const auto precision : {graph::Precision::kFloat32, graph::Precision::kBfloat16}) {
        CAPTURE(model.zoo(), shards, graph::PrecisionName(precision));
        CHECK(AllocationsOf(model, {"SGD", 1, shards, precision}) == 0);
      }
    }
  }
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
