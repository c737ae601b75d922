#include "runtime/data/tokens.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/memory_file_system.h"
#include "runtime/data/testing.h"

namespace rm::data {
namespace {

using base::MemoryFileSystem;
using Tokens = std::vector<int64_t>;

absl::StatusOr<std::unique_ptr<TokenDataset>> OpenBytes(const std::string& path,
                                                        const std::string& bytes, int64_t window) {
  MemoryFileSystem files;
  WriteFile(files, path, bytes);
  return TokenDataset::Open(path, window, files);
}

std::string Bytes(const Tokens& tokens, int width) {
  std::string bytes;
  for (const int64_t token : tokens) {
    for (int i = 0; i < width; ++i) bytes += static_cast<char>(token >> (8 * i) & 0xFF);
  }
  return bytes;
}

TEST_CASE("windows follow each other, and targets are shifted by one") {
  const Tokens tokens = {10, 11, 12, 13, 14, 15, 16, 300};
  for (const char* const path : {"/t.u16", "/t.bin", "/t.u32"}) {
    const int width = std::string(path) == "/t.u32" ? 4 : 2;
    const auto dataset = OpenBytes(path, Bytes(tokens, width), 3);
    REQUIRE(dataset.ok());
    CHECK((*dataset)->tokens() == 8);
    CHECK((*dataset)->size() == 2);  // the eighth token is a target of none
    CHECK((*dataset)->vocabulary() == 301);
    Tokens window(3), targets(3);
    (*dataset)->Read(0, window.data(), targets.data());
    CHECK(window == Tokens{10, 11, 12});
    CHECK(targets == Tokens{11, 12, 13});
    (*dataset)->Read(1, window.data(), targets.data());
    CHECK(window == Tokens{13, 14, 15});
    CHECK(targets == Tokens{14, 15, 16});
  }
}

TEST_CASE("the last window needs the token behind it") {
  CHECK((*OpenBytes("/t.u16", Bytes({1, 2, 3, 4}, 2), 3))->size() == 1);
  CHECK(OpenBytes("/t.u16", Bytes({1, 2, 3}, 2), 3).status() ==
        absl::InvalidArgumentError(
            "/t.u16: 3 tokens do not fill one window of 3 and the token behind it"));
  CHECK((*OpenBytes("/t.u16", Bytes({1, 2, 3, 4, 5, 6, 7}, 2), 3))->size() == 2);
}

TEST_CASE("tokens of 32 bits are not negative") {
  const auto dataset = OpenBytes("/t.u32", Bytes({4294967295, 2147483648}, 4), 1);
  REQUIRE(dataset.ok());
  int64_t token = 0, target = 0;
  (*dataset)->Read(0, &token, &target);
  CHECK(token == 4294967295);
  CHECK(target == 2147483648);
  CHECK((*dataset)->vocabulary() == 4294967296);
}

TEST_CASE("a token beyond the vocabulary is told with its offset") {
  const auto dataset = OpenBytes("/t.u16", Bytes({1, 2, 50257, 3}, 2), 1);
  REQUIRE(dataset.ok());
  CHECK((*dataset)->CheckVocabulary(50258).ok());
  CHECK((*dataset)->CheckVocabulary(50257) ==
        absl::InvalidArgumentError("/t.u16 at offset 4: token 50257 is out of range: the vocabulary "
                                   "has 50257 tokens, 0 to 50256"));
}

TEST_CASE("files that are no tokens are refused") {
  CHECK(OpenBytes("/t.txt", "abcd", 1).status() ==
        absl::InvalidArgumentError("/t.txt: the name does not say how wide a token is; it must end "
                                   "in .u16 or .bin (uint16) or .u32 (uint32)"));
  CHECK(OpenBytes("/t.u32", "abcde", 1).status() ==
        absl::InvalidArgumentError("/t.u32: 5 bytes are no whole number of 4-byte tokens"));
  CHECK(absl::IsInvalidArgument(OpenBytes("/t.u16", "", 1).status()));
  const MemoryFileSystem files;
  CHECK(absl::IsNotFound(TokenDataset::Open("/none.u16", 1, files).status()));
}

// What a language model of that window and vocabulary takes.
SampleLayout LanguageModel(int64_t window, int64_t vocabulary, kernels::DType dtype) {
  SampleLayout model;
  model.inputs = {{"tokens", dtype, {window}, vocabulary}};
  model.target.shape = {window};
  model.classes = vocabulary;
  model.has_params = false;
  return model;
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenFor(const SampleLayout& model, const Tokens& tokens) {
  MemoryFileSystem files;
  WriteFile(files, "/t.u16", Bytes(tokens, 2));
  pb::DataSource source;
  source.set_path("/t.u16");
  source.set_format("tokens");
  DatasetOptions options;
  options.model = model;
  return Dataset::Open(source, files, options);
}

TEST_CASE("a sample is a window in the type of the model's input, with the next token of each") {
  const Tokens tokens = {5, 6, 7, 8, 9, 4, 3};
  const auto wide = OpenFor(LanguageModel(3, 10, kernels::DType::kInt64), tokens);
  REQUIRE(wide.ok());
  CHECK((*wide)->size() == 2);
  CHECK((*wide)->classes() == 10);
  CHECK((*wide)->layout().weights() == 3);
  Tokens x(6, -1), y(6, -1);
  void* const inputs[] = {x.data()};
  (*wide)->ReadRow(0, 1, {inputs, y.data(), nullptr});
  CHECK(x == Tokens{-1, -1, -1, 5, 6, 7});
  CHECK(y == Tokens{-1, -1, -1, 6, 7, 8});
  const auto narrow = OpenFor(LanguageModel(3, 10, kernels::DType::kInt32), tokens);
  REQUIRE(narrow.ok());
  int32_t small[3] = {};
  void* const small_inputs[] = {small};
  (*narrow)->ReadRow(1, 0, {small_inputs, y.data(), nullptr});
  CHECK((small[0] == 8 && small[1] == 9 && small[2] == 4));
  CHECK(y == Tokens{9, 4, 3, 6, 7, 8});
}

TEST_CASE("a model of anything but windows of tokens is told what this format holds") {
  const Tokens tokens = {1, 2, 3, 4, 5};
  SampleLayout two = LanguageModel(2, 10, kernels::DType::kInt64);
  two.inputs.push_back({"mask", kernels::DType::kInt64, {2}, 0});
  SampleLayout one_label = LanguageModel(2, 10, kernels::DType::kInt64);
  one_label.target.shape = {};
  SampleLayout numbers = LanguageModel(2, 10, kernels::DType::kInt64);
  numbers.target.dtype = kernels::DType::kFloat32;
  const struct {
    SampleLayout model;
    const char* message;
  } cases[] = {
      {two, "fills one input, but the model has 2 ('tokens', 'mask'); use npy"},
      {one_label, "has a class for each of the 2 tokens of a window; the model's loss wants int64 []"},
      {numbers, "the model's loss wants float32 [2] for a window"},
      {LanguageModel(2, 5, kernels::DType::kInt64),
       "/t.u16 at offset 8: token 5 is out of range: the vocabulary has 5 tokens, 0 to 4"},
      {LanguageModel(5, 9, kernels::DType::kInt64), "5 tokens do not fill one window of 5"},
  };
  for (const auto& test : cases) {
    CHECK_THAT(std::string(OpenFor(test.model, tokens).status().message()),
               Catch::Contains(test.message));
  }
}

}  // namespace
}  // namespace rm::data
