#include "kernels/cpu/onednn_kernel.h"

#include <vector>

#include "base/status.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

using Memory = dnnl::memory;

// A memory object without memory: Run points it at the operand. Making one is cheap, but allocates.
Memory MemoryOf(const Desc& desc) { return Memory(desc, Engine(), DNNL_MEMORY_NONE); }

// What a primitive reads and writes, as its execution takes it. dnnl.hpp would make this list anew at
// each call; the handles in it belong to Memory objects beside it.
using ExecutionArguments = std::vector<dnnl_exec_arg_t>;

// Allocates nothing of ours. Throws.
void Execute(const dnnl::primitive& primitive, const dnnl::stream& stream,
             const ExecutionArguments& arguments) {
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream.get(),
                                                 static_cast<int>(arguments.size()),
                                                 arguments.data()),
                          "could not execute a primitive");
}

// An operand at work: the caller's memory and, when the formats differ, the primitive's copy of it.
struct BoundPort {
  size_t operand;
  Memory ours;
  Memory theirs;  // the same object as `ours` when there is no reorder
  dnnl::reorder reorder;
  ExecutionArguments reorder_arguments;
  bool copies = false;
  size_t offset = 0;  // of the copy in the scratch memory

  void Reorder(const dnnl::stream& stream) const {
    if (copies) Execute(reorder, stream, reorder_arguments);
  }
};

// Everything a Run needs is made in the constructor and only pointed at memory later. The scratch
// memory holds the primitive's own scratchpad and a copy of each operand that is reordered, one
// behind the other, each on a cache line of its own. A stream of its own lets kernels run on
// several threads.
class OneDnnKernel final : public Kernel {
 public:
  OneDnnKernel(const PrimitivePlan& plan, int threads)
      : threads_(threads), stream_(Engine()), primitive_(plan.primitive) {
    for (const Port& port : plan.inputs) inputs_.push_back(Bind(port, true));
    for (const Port& port : plan.outputs) outputs_.push_back(Bind(port, false));
    scratchpad_ = MemoryOf(plan.scratchpad);
    scratchpad_offset_ = Reserve(plan.scratchpad);
    arguments_.push_back({DNNL_ARG_SCRATCHPAD, scratchpad_.get()});
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  absl::Status Run(const Arguments& arguments) override {
    return CatchOneDnn("run a primitive", [&] {
      UseThreads(threads_);
      for (const BoundPort& port : inputs_) {
        // oneDNN's memory is never const, even for what is only read.
        Point(port, const_cast<void*>(arguments.inputs[port.operand]), arguments.scratch);
        port.Reorder(stream_);
      }
      // Outputs are pointed at before the primitive runs, and copied after it.
      for (const BoundPort& port : outputs_) {
        Point(port, arguments.outputs[port.operand], arguments.scratch);
      }
      scratchpad_.set_data_handle(static_cast<char*>(arguments.scratch) + scratchpad_offset_);
      Execute(primitive_, stream_, arguments_);
      for (const BoundPort& port : outputs_) port.Reorder(stream_);
      // A CPU stream is done when execute returns; this says so to the reader, and costs nothing.
      stream_.wait();
    });
  }

 private:
  // Scratch memory for a tensor; its offset.
  size_t Reserve(const Desc& desc) {
    const size_t offset = scratch_bytes_;
    scratch_bytes_ += (desc.get_size() + 63) / 64 * 64;
    return offset;
  }

  // Memory objects are handles: the copy in `arguments_` is pointed at memory with this one.
  BoundPort Bind(const Port& port, bool is_input) {
    BoundPort bound{port.operand, MemoryOf(port.ours), {}, {}, {}};
    // oneDNN compares formats, so equal memory needs no reorder whatever it is called.
    bound.copies = port.ours != port.theirs;
    bound.theirs = bound.copies ? MemoryOf(port.theirs) : bound.ours;
    if (bound.copies) {
      const Memory& from = is_input ? bound.ours : bound.theirs;
      const Memory& to = is_input ? bound.theirs : bound.ours;
      bound.offset = Reserve(port.theirs);
      bound.reorder = dnnl::reorder(from, to);
      bound.reorder_arguments = {{DNNL_ARG_FROM, from.get()}, {DNNL_ARG_TO, to.get()}};
    }
    arguments_.push_back({port.argument, bound.theirs.get()});
    return bound;
  }

  static void Point(const BoundPort& port, void* data, void* scratch) {
    port.ours.set_data_handle(data);
    if (port.copies) port.theirs.set_data_handle(static_cast<char*>(scratch) + port.offset);
  }

  const int threads_;
  dnnl::stream stream_;
  const dnnl::primitive primitive_;
  std::vector<BoundPort> inputs_;
  std::vector<BoundPort> outputs_;
  Memory scratchpad_;
  size_t scratchpad_offset_ = 0;
  size_t scratch_bytes_ = 0;
  ExecutionArguments arguments_;
};

}  // namespace

bool IsFast(const OpInstance& instance,
            absl::FunctionRef<PrimitivePlan(const OpInstance&)> plan) {
  bool fast = false;
  const absl::Status status = CatchOneDnn("describe " + instance.ToString(), [&] {
    const char* implementation = nullptr;
    const PrimitivePlan described = plan(instance);
    dnnl::error::wrap_c_api(
        dnnl_primitive_desc_query(described.primitive.get_primitive_desc(),
                                  dnnl_query_impl_info_str, 0, &implementation),
        "could not query an implementation");
    fast = absl::string_view(implementation).find("ref") == absl::string_view::npos;
  });
  return status.ok() && fast;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeOneDnnKernel(
    const OpInstance& instance, const KernelOptions& options,
    absl::FunctionRef<PrimitivePlan(const OpInstance&)> plan) {
  std::unique_ptr<Kernel> kernel;
  RM_RETURN_IF_ERROR(CatchOneDnn("make " + instance.ToString(), [&] {
    UseThreads(options.threads);
    kernel = std::make_unique<OneDnnKernel>(plan(instance), options.threads);
  }));
  return kernel;
}

}  // namespace rm::kernels::cpu
