// A reference case so small that its numbers are known by hand: a linear layer of zeros on samples of ones.
#include "tools/bench/oracle_bench.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/testing.h"
#include "runtime/tensorfile/npy.h"
#include "runtime/tensorfile/npz.h"

namespace rm::bench {
namespace {

using Floats = std::vector<float>;

template <typename T>
absl::string_view Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// A case in a folder, as the script that makes them lays it out.
class Case {
 public:
  Case() {
    onnx::ModelBuilder model;
    model.Input("input", {"batch", "4"}).Weight("w", {3, 4}, 0).Weight("b", {3}, 0);
    model.Node("Gemm", {"input", "w", "b"}, {"logits"}).Int("transB", 1).Output("logits");
    REQUIRE(onnx::WriteModel(model.proto(), File("model.onnx"), files()) == absl::OkStatus());
    Npy("input.npy", "F32", {1, 2, 4}, Bytes(Floats(8, 1)));
    Npy("target.npy", "I64", {1, 2}, Bytes(std::vector<int64_t>{0, 0}));
    // softmax − target: −2/3 for the class that is right, 1/3 for the others; a rate of a half.
    Npz("grads.npz", {-2.0F / 3, 1.0F / 3, 1.0F / 3});
    Npz("final.npz", {1.0F / 3, -1.0F / 6, -1.0F / 6});
    Text("case.json",
         R"({"batch": 2, "steps": 1, "accumulate": 1, "clip": null, "inputs": {"input": {}},
             "loss": {"kind": "softmax_cross_entropy"}, "losses": [1.0986123],
             "optimizer": {"kind": "sgd", "lr": 0.5, "momentum": 0.9}})");
  }

  static base::FileSystem& files() { return base::PosixFileSystem(); }
  std::string File(const char* name) const { return folder_.File(name); }
  const std::string& path() const { return folder_.path(); }
  void Text(const char* name, const std::string& text) const {
    REQUIRE(base::WriteFileAtomically(files(), File(name), text) == absl::OkStatus());
  }

 private:
  void Npy(const char* name, const char* dtype, const std::vector<int64_t>& shape,
           absl::string_view data) const {
    Text(name, tensorfile::EncodeNpy(dtype, shape, data).value());
  }
  // The bias has these values; every input is 1, so each row of the weight repeats its own.
  void Npz(const char* name, const Floats& bias) const {
    Floats weight;
    for (const float x : bias) weight.insert(weight.end(), 4, x);
    auto file = files().Create(File(name));
    REQUIRE(file.status() == absl::OkStatus());
    REQUIRE(tensorfile::WriteNpz({{"b", "F32", {3}, Bytes(bias)}, {"w", "F32", {3, 4}, Bytes(weight)}},
                                 **file) == absl::OkStatus());
    REQUIRE((*file)->Close() == absl::OkStatus());
  }

  base::TemporaryFolder folder_;
};

int Run(std::vector<std::string> words) {
  words.insert(words.begin(), "oracle");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return OracleBenchCommand(static_cast<int>(argv.size()), argv.data());
}

TEST_CASE("the dump holds what training made of the case, and the model with it", "[oracle]") {
  const Case oracle;
  const std::string dump = oracle.File("dump");
  REQUIRE(Run({oracle.path(), "--dump", dump, "-o", "json"}) == 0);

  const auto read = [&](const char* name) { return Case::files().ReadFile(base::JoinPath(dump, name)); };
  const auto losses = base::Json::Parse(read("losses.json").value());
  REQUIRE(losses->array().size() == 1);
  CHECK(losses->array()[0].number_or(0) == Approx(std::log(3.0)));

  const auto values = tensorfile::NpzFile::Open(Case::files(), base::JoinPath(dump, "final.npz"));
  REQUIRE(values.status() == absl::OkStatus());
  const Floats bias = (*values)->ReadFloats("b").value();
  CHECK(bias[0] == Approx(1.0 / 3));

  const auto model = onnx::ImportModel(Case::files(), base::JoinPath(dump, "model.onnx"));
  REQUIRE(model.status() == absl::OkStatus());
  const auto& exported = model->graph.value(model->graph.FindValue("b"));
  CHECK(*exported.initializer.values == bias);
  CHECK(model->inputs == std::vector<std::string>{"input"});
}

TEST_CASE("a case that is not whole is named", "[oracle]") {
  const Case oracle;
  oracle.Text("case.json", "{}");
  CHECK(Run({oracle.path()}) == 2);
  CHECK(Run({oracle.File("nowhere")}) == 1);
}

}  // namespace
}  // namespace rm::bench
