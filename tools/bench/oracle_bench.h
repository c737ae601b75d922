// `trainctl bench oracle CASE_DIR`: trains a reference case of another framework and compares.
#ifndef RM_TOOLS_BENCH_ORACLE_BENCH_H_
#define RM_TOOLS_BENCH_ORACLE_BENCH_H_

namespace rm::bench {

// Prints one line: how far gradients, losses and final values are from the case's (|a−b| / |b|, by
// the 2-norm over all values), and the exported model's output from the engine's. With --dump OUT_DIR
// writes grads.npz, final.npz, logits.npy, losses.json and model.onnx there. Returns the exit code.
int OracleBenchCommand(int argc, char** argv);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_ORACLE_BENCH_H_
