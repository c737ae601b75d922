// Times kernels of the CPU's table on the shapes that training is made of:
//
//   bazel run //kernels/cpu:kernel_bench [NAME...]
//
// prints, for each case whose name contains one of the given, the best of many runs in microseconds
// of this thread's CPU time (other processes disturb it less than the wall's), GFLOP/s or GB/s, and
// the kernel. RINGMASTER_ISA chooses the instruction set. Not a test: it judges nothing.
//
// The cases are the layers of the built-in models at their usual batches, and what lies between
// them.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/cpu/table.h"

namespace rm::kernels::cpu {
namespace {

using Ints = std::vector<int64_t>;

struct Bench {
  std::string name;
  OpInstance instance;
  double flops;  // 0: GB/s of the operands are printed
};

Operand Floats(const Shape& shape, Layout layout = Layout::kPlain) {
  return {{DType::kFloat32, shape, layout}, true};
}

// A product without a C, but for the forward form (B transposed), which has a layer's bias and
// relu.
Bench Gemm(const std::string& name, int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b) {
  OpInstance op{"Gemm",
                {{"transA", int64_t{trans_a}}, {"transB", int64_t{trans_b}}},
                {Floats(trans_a ? Shape{k, m} : Shape{m, k}),
                 Floats(trans_b ? Shape{n, k} : Shape{k, n})},
                {Floats({m, n})}};
  if (trans_b) {
    op.inputs.push_back(Floats({n}));
    op.attributes.Set("activation", std::string("relu"));
  }
  return {name, op, 2.0 * static_cast<double>(m * n * k)};
}

// The three products of a layer of `outputs` by `inputs` weights on a batch.
void AddLayer(const std::string& name, int64_t batch, int64_t inputs, int64_t outputs,
              std::vector<Bench>* benches) {
  benches->push_back(Gemm(name + " forward", batch, outputs, inputs, false, true));
  benches->push_back(Gemm(name + " dX", batch, inputs, outputs, false, false));
  benches->push_back(Gemm(name + " dW", outputs, inputs, batch, true, false));
}

// The products of attention on `heads` stacked matrices of (t, d), and their gradients.
void AddAttention(const std::string& name, int64_t heads, int64_t t, int64_t d,
                  std::vector<Bench>* benches) {
  const Operand q = Floats({heads, t, d});
  const Operand scores = Floats({heads, t, t});
  const Attributes left{{"transA", int64_t{1}}};
  const Attributes right{{"transB", int64_t{1}}, {"alpha", 0.2F}};
  const double flops = 2.0 * static_cast<double>(heads * t * t * d);
  benches->push_back({name + " q·kT", {"MatMul", right, {q, q}, {scores}}, flops});
  benches->push_back({name + " p·v", {"MatMul", {}, {scores, q}, {q}}, flops});
  benches->push_back({name + " pT·dy", {"MatMul", left, {scores, q}, {q}}, flops});
  benches->push_back({name + " softmax", {"Softmax", {}, {scores}, {scores}}, 0});
  benches->push_back(
      {name + " softmax grad", {"SoftmaxGrad", {}, {scores, scores}, {scores}}, 0});
}

// Rows as a transformer has them, one a token.
void AddLayerNorm(const std::string& name, int64_t rows, int64_t n, std::vector<Bench>* benches) {
  const Operand x = Floats({rows, n});
  const Operand row = Floats({n});
  const Operand number = Floats({rows, 1});
  benches->push_back(
      {name, {"LayerNormalization", {}, {x, row, row}, {x, number, number}}, 0});
  benches->push_back({name + " grad",
                      {"LayerNormGrad", {}, {x, x, row, number, number}, {x, row, row}},
                      0});
}

// Batch norm with all that may be fused into it.
void AddBatchNorm(const std::string& name, const Shape& shape, std::vector<Bench>* benches) {
  const Operand x = Floats(shape);
  const Operand c = Floats({shape[1]});
  const Attributes relu{{"activation", std::string("relu")}};
  benches->push_back({name, {"BatchNormTraining", {}, {x, c, c}, {x, c, c, c}}, 0});
  benches->push_back({name + " residual relu",
                      {"BatchNormTraining", relu, {x, c, c, x}, {x, c, c, c}},
                      0});
  benches->push_back({name + " grad", {"BatchNormGrad", {}, {x, x, c, c, c}, {x, c, c}}, 0});
  benches->push_back(
      {name + " relu grad", {"BatchNormGrad", relu, {x, x, c, c, c, x}, {x, c, c}}, 0});
}

// The three convolutions of a layer without a bias from c to o channels on images of h × h, with
// windows of k × k that keep the size but for the stride.
void AddStrided(const std::string& name, int64_t n, int64_t c, int64_t o, int64_t h, int64_t k,
                int64_t stride, std::vector<Bench>* benches) {
  const int64_t pad = k / 2;
  const int64_t oh = (h + 2 * pad - k) / stride + 1;
  const Operand x = Floats({n, c, h, h});
  const Operand w = Floats({o, c, k, k});
  const Operand y = Floats({n, o, oh, oh});
  const Attributes attributes{{"pads", Ints{pad, pad, pad, pad}},
                              {"strides", Ints{stride, stride}}};
  const double flops = 2.0 * static_cast<double>(n * oh * oh * o * c * k * k);
  benches->push_back({name + " forward", {"Conv", attributes, {x, w}, {y}}, flops});
  benches->push_back({name + " dX", {"ConvGradInput", attributes, {y, w}, {x}}, flops});
  benches->push_back({name + " dW", {"ConvGradWeight", attributes, {x, y}, {w}}, flops});
}

// The three convolutions of a 3×3 layer from c to o channels on images of h × h.
void AddConv(const std::string& name, int64_t n, int64_t c, int64_t o, int64_t h, int64_t pad,
             std::vector<Bench>* benches) {
  const int64_t oh = h + 2 * pad - 2;
  const Operand x = Floats({n, c, h, h});
  const Operand w = Floats({o, c, 3, 3});
  const Operand y = Floats({n, o, oh, oh});
  const Operand b = Floats({o});
  const Attributes attributes{{"pads", Ints{pad, pad, pad, pad}}};
  Attributes fused = attributes;
  fused.Set("activation", std::string("relu"));
  const double flops = 18.0 * static_cast<double>(n * o * oh * oh * c);
  benches->push_back({name + " forward", {"Conv", fused, {x, w, b}, {y}}, flops});
  benches->push_back({name + " dX", {"ConvGradInput", attributes, {y, w}, {x}}, flops});
  benches->push_back({name + " dW", {"ConvGradWeight", attributes, {x, y}, {w, b}}, flops});
}

// A pool of 2 × 2, both ways, in a given layout.
void AddPool(const std::string& name, const Shape& x, const Shape& y, Layout layout,
             std::vector<Bench>* benches) {
  const Attributes two{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  const Operand index{{DType::kUInt8, y, layout}, true};
  benches->push_back(
      {name + " forward", {"MaxPool", two, {Floats(x, layout)}, {Floats(y, layout), index}}, 0});
  benches->push_back(
      {name + " grad", {"MaxPoolGrad", two, {Floats(y, layout), index}, {Floats(x, layout)}}, 0});
}

// What is bound by memory: GB/s counts every operand once.
void AddElements(std::vector<Bench>* benches) {
  const Operand image = Floats({64, 32, 26, 26});
  benches->push_back({"relu_grad 5.5 MB", {"ReluGrad", {}, {image, image}, {image}}, 0});
  const Operand hidden = Floats({128, 512});
  benches->push_back({"relu_grad 0.3 MB", {"ReluGrad", {}, {hidden, hidden}, {hidden}}, 0});
  const Attributes rows{{"axes", Ints{0}}, {"keepdims", int64_t{0}}};
  benches->push_back({"bias sum 128x512", {"ReduceSum", rows, {hidden}, {Floats({512})}}, 0});
  const Operand weights = Floats({1200000});
  benches->push_back({"sgd 1.2 M",
                      {"SgdUpdate",
                       {},
                       {weights, weights, weights, Floats({5})},
                       {weights, weights}},
                      0});
  benches->push_back({"adam 1.2 M",
                      {"AdamUpdate",
                       {},
                       {weights, weights, weights, weights, Floats({10})},
                       {weights, weights, weights}},
                      0});
  const Operand counters{{DType::kInt64, {3}, Layout::kPlain}, true};
  benches->push_back(
      {"dropout 128x512", {"DropoutTraining", {{"ratio", 0.25F}}, {hidden, counters}, {hidden}}, 0});
  const Operand logits = Floats({128, 10});
  const Operand labels{{DType::kInt64, {128}, Layout::kPlain}, true};
  benches->push_back({"softmax 128x10",
                      {"SoftmaxCrossEntropy",
                       {},
                       {logits, labels, Floats({128})},
                       {Floats({1}), logits}},
                      0});
  const Operand pooled = Floats({64, 64, 12, 12});
  benches->push_back(
      {"reorder to plain",
       {"Reorder", {}, {Floats({64, 64, 12, 12}, Layout::kChannels16)}, {pooled}},
       0});
}

// resnet18 in its CIFAR form, a batch of 32: what occurs more than once, once.
void AddResnet(std::vector<Bench>* benches) {
  AddStrided("resnet 64@32", 32, 64, 64, 32, 3, 1, benches);
  AddStrided("resnet 64-128@32/2", 32, 64, 128, 32, 3, 2, benches);
  AddStrided("resnet 64-128@32 1x1/2", 32, 64, 128, 32, 1, 2, benches);
  AddStrided("resnet 128@16", 32, 128, 128, 16, 3, 1, benches);
  AddStrided("resnet 128-256@16/2", 32, 128, 256, 16, 3, 2, benches);
  AddStrided("resnet 256@8", 32, 256, 256, 8, 3, 1, benches);
  AddStrided("resnet 256-512@8/2", 32, 256, 512, 8, 3, 2, benches);
  AddStrided("resnet 512@4", 32, 512, 512, 4, 3, 1, benches);
  AddBatchNorm("bn 64@32", {32, 64, 32, 32}, benches);
  AddBatchNorm("bn 512@4", {32, 512, 4, 4}, benches);
}

// gpt with 4 heads of 32 on 12 texts of 64 tokens.
void AddGpt(std::vector<Bench>* benches) {
  AddLayer("gpt qkv", 768, 128, 384, benches);
  AddLayer("gpt o", 768, 128, 128, benches);
  AddLayer("gpt f1", 768, 128, 512, benches);
  AddLayer("gpt f2", 768, 512, 128, benches);
  AddLayer("gpt head", 768, 128, 65, benches);
  AddAttention("gpt", 48, 64, 32, benches);
  AddLayerNorm("layer norm 768x128", 768, 128, benches);
}

std::vector<Bench> AllBenches() {
  std::vector<Bench> benches;
  AddLayer("mlp1 b128", 128, 784, 512, &benches);
  AddLayer("mlp2 b128", 128, 512, 256, &benches);
  AddLayer("mlp3 b128", 128, 256, 10, &benches);
  AddLayer("mlp1 b8", 8, 784, 512, &benches);
  AddLayer("mlp2 b8", 8, 512, 256, &benches);
  AddLayer("fc1 b64", 64, 9216, 128, &benches);
  AddLayer("fc1 b8", 8, 9216, 128, &benches);
  AddConv("conv1 b64", 64, 1, 32, 28, 0, &benches);
  AddConv("rgb b32", 32, 3, 64, 32, 1, &benches);
  AddConv("conv2 b64", 64, 32, 64, 26, 0, &benches);
  AddConv("conv2 b8", 8, 32, 64, 26, 0, &benches);
  AddConv("resnet64 b32", 32, 64, 64, 32, 1, &benches);
  AddConv("resnet256 b32", 32, 256, 256, 8, 1, &benches);
  AddResnet(&benches);
  AddGpt(&benches);
  for (const Layout layout : {Layout::kPlain, Layout::kChannels8, Layout::kChannels16}) {
    AddPool(std::string("pool ") + LayoutName(layout), {64, 64, 24, 24}, {64, 64, 12, 12}, layout,
            &benches);
  }
  AddElements(&benches);
  return benches;
}

// The instance in the layouts that the kernel likes; without images nothing changes.
void ChooseLayouts(const KernelEntry& entry, OpInstance* instance) {
  if (entry.choose_layouts == nullptr || instance->op == "MaxPool") return;
  if (instance->op == "MaxPoolGrad" || instance->op == "Reorder") return;
  const LayoutChoice choice = entry.choose_layouts(*instance, {});
  for (size_t i = 0; i < choice.inputs.size(); ++i) {
    instance->inputs[i].type.layout = choice.inputs[i];
  }
  for (size_t i = 0; i < choice.outputs.size(); ++i) {
    instance->outputs[i].type.layout = choice.outputs[i];
  }
}

// Aligned as a graph's arena is, and zero: times do not depend on the values.
struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

Memory Allocate(size_t bytes) {
  Memory memory(std::aligned_alloc(64, (bytes + 64) / 64 * 64));
  std::memset(memory.get(), 0, bytes);
  return memory;
}

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The best time of one run, over half a second of runs.
double BestSeconds(Kernel& kernel, const Arguments& arguments) {
  double best = 1e9;
  const double begin = CpuSeconds();
  for (int run = 0;; ++run) {
    const double start = CpuSeconds();
    if (run > 5 && start - begin > 0.5) return best;
    if (!kernel.Run(arguments).ok()) return -1;
    best = std::min(best, CpuSeconds() - start);
  }
}

// Makes the kernel as a graph would, first asking for layouts, and prints its line.
void Report(const Bench& bench) {
  const KernelEntry* entry = FindKernel(Table(), bench.instance);
  if (entry == nullptr) return;
  OpInstance instance = bench.instance;
  ChooseLayouts(*entry, &instance);
  entry = FindKernel(Table(), instance);  // another one may be faster in these layouts
  auto kernel = entry->make(instance, {});
  if (!kernel.ok()) {
    std::printf("%s: %s\n", bench.name.c_str(), kernel.status().ToString().c_str());
    return;
  }
  std::vector<Memory> memories;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  size_t bytes = 0;
  for (const Operand& operand : instance.inputs) {
    inputs.push_back(memories.emplace_back(Allocate(operand.type.bytes())).get());
    bytes += operand.type.bytes();
  }
  for (const Operand& operand : instance.outputs) {
    outputs.push_back(memories.emplace_back(Allocate(operand.type.bytes())).get());
    bytes += operand.type.bytes();
  }
  const Memory scratch = Allocate((*kernel)->scratch_bytes());
  const double seconds = BestSeconds(**kernel, {inputs, outputs, scratch.get()});
  const double amount = bench.flops > 0 ? bench.flops : static_cast<double>(bytes);
  std::printf("%-26s %9.1f us %7.1f %s  %s\n", bench.name.c_str(), seconds * 1e6,
              amount / seconds * 1e-9, bench.flops > 0 ? "GFLOP/s" : "GB/s   ", entry->name);
}

}  // namespace
}  // namespace rm::kernels::cpu

int main(int argc, char** argv) {
  std::printf("%s, %s, one thread\n", rm::base::CpuModel().c_str(),
              rm::base::IsaName(rm::base::CpuIsa()).c_str());
  for (const auto& bench : rm::kernels::cpu::AllBenches()) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i) {
      wanted = wanted || bench.name.find(argv[i]) != std::string::npos;
    }
    if (wanted) rm::kernels::cpu::Report(bench);
  }
  return 0;
}
