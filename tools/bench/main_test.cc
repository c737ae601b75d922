// What is wrong with the flags of a benchmark is one line and exit code 2, before a process is started.
#include "tools/bench/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::bench {
namespace {

struct Ran {
  int code = 0;
  std::string err;
};

// `trainctl bench words…`, with its standard error in a file: benchmarks write to the descriptor.
Ran Bench(std::vector<std::string> words) {
  words.insert(words.begin(), "bench");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  const base::TemporaryFolder folder;
  const int saved = ::dup(STDERR_FILENO);
  const int file = ::open(folder.File("err").c_str(), O_WRONLY | O_CREAT, 0600);
  ::dup2(file, STDERR_FILENO);
  Ran ran;
  ran.code = BenchMain(static_cast<int>(argv.size()), argv.data());
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  ran.err = base::PosixFileSystem().ReadFile(folder.File("err")).value();
  return ran;
}

TEST_CASE("each mistake has its line") {
  const struct {
    std::vector<std::string> words;
    std::string said;
  } cases[] = {
      {{}, "which benchmark?"},
      {{"trian"}, "unknown benchmark 'trian' – did you mean 'train'?"},
      {{"train", "--modle", "mlp"}, "did you mean '--model'"},
      {{"oracle"}, "give the folder of one case"},
      {{"train", "--model", "transformer"}, "unknown model 'transformer'; there is mlp, convnet, resnet18, gpt"},
      {{"train", "--model", "mine.onnx"}, "a model from a file takes --batch or --global-batch"},
      {{"train", "--model", "mine.onnx", "--batch", "4", "--param", "width=3"},
       "--param: a model from a file has no parameters to set"},
      {{"train", "--model", "covnet"}, "did you mean 'convnet'?"},
      {{"train", "--ranks", "0"}, "must be a whole number from 1 to"},
      {{"train", "--batch", "8", "--global-batch", "16"}, "give --batch or --global-batch, not both"},
      {{"train", "--ranks", "4", "--global-batch", "3"}, "leaves some of 4 ranks without a row"},
      {{"train", "--param", "hidden1"}, "--param: 'hidden1' is not NAME=NUMBER"},
      {{"train", "--param", "hidden1=nan"}, "--param: 'hidden1=nan' is not NAME=NUMBER"},
      {{"train", "--precision", "fp16"}, "must be one of fp32, bf16"},
      {{"train", "--transport", "nccl"}, "must be one of auto, grpc, shm, tcp"},
      {{"train", "--save-weights", "/none/at/all/w"},
       "trainctl bench train: --save-weights: /none/at/all: No such file or directory"},
      {{"train", "extra"}, "'extra'"},
      {{"allreduce", "--sizes", "1k"}, "1k"},
      {{"schedule"}, "--trace: give a file of jobs"},
      {{"schedule", "--trace", "/none/at/all.csv"}, "/none/at/all.csv"},
      {{"schedule", "--policy", "fifi"}, "there is no policy 'fifi' – did you mean 'fifo'?"},
      {{"schedule", "--nodes", "16by8"}, "--nodes: '16by8' is not a number of nodes"},
      {{"schedule", "--nodes", "0x8"}, "--nodes: '0x8'"},
      {{"schedule", "--placement", "any", "--nodes", "5000x8"}, "at most 4096 slots"},
      {{"schedule", "--estimate", "-1"}, "--estimate: '-1' is not 'exact' or a factor"},
      {{"allreduce", "--ranks", "1000000"}, "must be a whole number from"},
  };
  for (const auto& c : cases) {
    const Ran ran = Bench(c.words);
    CAPTURE(c.words, ran.err);
    CHECK(ran.code == 2);
    CHECK(absl::StrContains(ran.err, c.said));
  }
}

}  // namespace
}  // namespace rm::bench
