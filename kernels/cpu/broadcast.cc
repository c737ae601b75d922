// Add, Sub, Mul and Div with any broadcast in plain layout, or of equal images in any one layout;
// Pow by a number that is simple; Where.
#include <cmath>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/broadcast_walk.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/pair_loops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread

const PairLoops& Loops() {
  return ChooseIsa(v1::kPairLoops, v3::kPairLoops, v4::kPairLoops);
}

const PairLoops::Forms& FormsOf(const std::string& op) {
  const PairLoops& loops = Loops();
  return op == "Add" ? loops.add : op == "Sub" ? loops.sub : op == "Mul" ? loops.mul : loops.div;
}

// Images of one type are one run of elements, whatever their layout; a Shape of what lies in memory
// says so.
Shape InMemory(const OpInstance& op, size_t i) {
  if (AllPlain(op)) return op.inputs[i].type.shape;
  return {op.outputs[0].type.physical_elements()};
}

BroadcastWalk WalkOf(const OpInstance& op) {
  std::vector<Shape> operands;
  for (size_t i = 0; i < op.inputs.size(); ++i) operands.push_back(InMemory(op, i));
  const Shape y = AllPlain(op) ? op.outputs[0].type.shape : InMemory(op, 0);
  return BroadcastWalk(y, operands);
}

// Calls body(output offset, operand offsets, elements) for parts of all runs: one long run is cut
// into parts of its own, of many short ones each thread takes some.
template <typename Body>
void ForParts(const BroadcastWalk& walk, int threads, const Body& body) {
  if (walk.runs() == 1) {
    ParallelFor(threads, walk.run(), kGrain, [&](int64_t begin, int64_t end) {
      int64_t at[BroadcastWalk::kMostOperands];
      for (size_t k = 0; k < BroadcastWalk::kMostOperands; ++k) {
        at[k] = walk.repeats(k) ? 0 : begin;
      }
      body(begin, at, end - begin);
    });
    return;
  }
  const int64_t grain = kGrain / (walk.run() + 1) + 1;
  ParallelFor(threads, walk.runs(), grain, [&](int64_t first, int64_t last) {
    walk.For(first, last, [&](int64_t y, const int64_t* at) { body(y, at, walk.run()); });
  });
}

class Pair final : public Kernel {
 public:
  Pair(const OpInstance& op, const KernelOptions& options)
      : walk_(WalkOf(op)), loop_(LoopOf(op.op, walk_)), threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* a = arguments.input<float>(0);
    const auto* b = arguments.input<float>(1);
    auto* out = arguments.output<float>(0);
    ForParts(walk_, threads_, [&](int64_t y, const int64_t* at, int64_t n) {
      loop_(a + at[0], b + at[1], out + y, n);
    });
    return absl::OkStatus();
  }

 private:
  // Two numbers make a run of one element.
  static PairLoops::Loop* LoopOf(const std::string& op, const BroadcastWalk& walk) {
    const PairLoops::Forms& forms = FormsOf(op);
    return walk.repeats(1) ? forms.by_number : walk.repeats(0) ? forms.of_number : forms.both;
  }

  const BroadcastWalk walk_;
  PairLoops::Loop* const loop_;
  const int threads_;
};

// The exponent is only known when it runs. Squares and cubes are what models are made of, and
// roots; everything else is as slow as the library's function.
class Pow final : public Kernel {
 public:
  Pow(const OpInstance& op, const KernelOptions& options)
      : multiply_(Loops().mul.both),
        count_(op.outputs[0].type.elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    const float exponent = arguments.input<float>(1)[0];
    auto* z = arguments.output<float>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      Range(x + begin, exponent, z + begin, end - begin);
    });
    return absl::OkStatus();
  }

 private:
  void Range(const float* x, float exponent, float* z, int64_t n) const {
    if (exponent == 2.0F) {
      multiply_(x, x, z, n);
    } else if (exponent == 3.0F) {
      for (int64_t i = 0; i < n; ++i) z[i] = x[i] * x[i] * x[i];
    } else if (exponent == 0.5F) {
      // Of −∞ and −0 the root is not the power.
      for (int64_t i = 0; i < n; ++i) {
        z[i] = std::isinf(x[i]) ? std::abs(x[i]) : std::sqrt(x[i]) + 0.0F;
      }
    } else {
      const auto y = static_cast<double>(exponent);
      for (int64_t i = 0; i < n; ++i) {
        z[i] = static_cast<float>(std::pow(static_cast<double>(x[i]), y));
      }
    }
  }

  PairLoops::Loop* const multiply_;
  const int64_t count_;
  const int threads_;
};

// dX = dZ · Y · X^(Y − 1), for the same exponents.
class PowGrad final : public Kernel {
 public:
  PowGrad(const OpInstance& op, const KernelOptions& options)
      : count_(op.outputs[0].type.elements()), threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dz = arguments.input<float>(0);
    const auto* x = arguments.input<float>(1);
    const float exponent = arguments.input<float>(2)[0];
    auto* dx = arguments.output<float>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      Range(dz + begin, x + begin, exponent, dx + begin, end - begin);
    });
    return absl::OkStatus();
  }

 private:
  static void Range(const float* dz, const float* x, float exponent, float* dx, int64_t n) {
    if (exponent == 2.0F) {
      for (int64_t i = 0; i < n; ++i) dx[i] = dz[i] * (2 * x[i]);
    } else if (exponent == 3.0F) {
      for (int64_t i = 0; i < n; ++i) dx[i] = dz[i] * (3 * (x[i] * x[i]));
    } else {
      const auto y = static_cast<double>(exponent);
      for (int64_t i = 0; i < n; ++i) {
        const double slope = y == 0 ? 0 : y * std::pow(static_cast<double>(x[i]), y - 1);
        dx[i] = static_cast<float>(static_cast<double>(dz[i]) * slope);
      }
    }
  }

  const int64_t count_;
  const int threads_;
};

class Where final : public Kernel {
 public:
  Where(const OpInstance& op, const KernelOptions& options)
      : walk_(WalkOf(op)), where_(Loops().where), threads_(options.threads) {}

  // In a run with one condition the result is one of the operands, copied.
  absl::Status Run(const Arguments& arguments) override {
    const auto* condition = arguments.input<uint8_t>(0);
    const auto* x = arguments.input<float>(1);
    const auto* y = arguments.input<float>(2);
    auto* z = arguments.output<float>(0);
    ForParts(walk_, threads_, [&](int64_t out, const int64_t* at, int64_t n) {
      if (!walk_.repeats(0)) {
        where_(condition + at[0], x + at[1], walk_.repeats(1), y + at[2], walk_.repeats(2),
               z + out, n);
        return;
      }
      const size_t k = n > 0 && condition[at[0]] != 0 ? 1 : 2;
      const float* from = (k == 1 ? x : y) + at[k];
      for (int64_t i = 0; i < n; ++i) z[out + i] = from[walk_.repeats(k) ? 0 : i];
    });
    return absl::OkStatus();
  }

 private:
  const BroadcastWalk walk_;
  decltype(PairLoops::where) const where_;
  const int threads_;
};

}  // namespace

// Of floats. Padding of blocked channels stays zero but in a quotient, which would be 0 / 0.
bool SupportsPair(const OpInstance& instance) {
  if (!CheckInstance(instance).ok()) return false;
  const TensorType& y = instance.outputs[0].type;
  if (y.dtype != DType::kFloat32) return false;
  if (AllPlain(instance)) return true;
  const bool fills = instance.op != "Div" || y.physical_elements() == y.elements();
  return instance.inputs[0].type == y && instance.inputs[1].type == y && fills;
}

// Two images of one shape go on in the first one's layout.
LayoutChoice ChoosePairLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const TensorType& a = instance.inputs[0].type;
  const bool same = a.shape == instance.inputs[1].type.shape &&
                    (instance.op != "Div" || a.physical_elements() == a.elements());
  const Layout layout = same ? a.layout : Layout::kPlain;
  return {{layout, layout}, {layout}};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakePair(const OpInstance& instance,
                                                 const KernelOptions& options) {
  return std::make_unique<Pair>(instance, options);
}

// Of one exponent, plain.
bool SupportsPow(const OpInstance& instance) {
  return CheckInstance(instance).ok() && AllPlain(instance) &&
         instance.inputs[1].type.elements() == 1 &&
         instance.inputs[0].type.elements() == instance.outputs[0].type.elements();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakePow(const OpInstance& instance,
                                                const KernelOptions& options) {
  return std::make_unique<Pow>(instance, options);
}

// Of one exponent and operands that are not broadcast otherwise, plain.
bool SupportsPowGrad(const OpInstance& instance) {
  return CheckInstance(instance).ok() && AllPlain(instance) &&
         instance.inputs[2].type.elements() == 1 &&
         instance.inputs[0].type.elements() == instance.outputs[0].type.elements() &&
         instance.inputs[1].type.elements() == instance.outputs[0].type.elements();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakePowGrad(const OpInstance& instance,
                                                    const KernelOptions& options) {
  return std::make_unique<PowGrad>(instance, options);
}

// Of floats, plain.
bool SupportsWhere(const OpInstance& instance) {
  return CheckInstance(instance).ok() && AllPlain(instance) &&
         instance.outputs[0].type.dtype == DType::kFloat32;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeWhere(const OpInstance& instance,
                                                  const KernelOptions& options) {
  return std::make_unique<Where>(instance, options);
}

}  // namespace rm::kernels::cpu
