// The IDX files of a data set: images and labels in one input, the first two bytes being the length
// of the images' file.
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/memory_file_system.h"
#include "runtime/data/dataset.h"
#include "runtime/data/testing.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

std::string Joined(const std::string& images, const std::string& labels) {
  std::string input;
  input += static_cast<char>(images.size());
  input += static_cast<char>(images.size() >> 8);
  return input + images + labels;
}

// Every sample can be read, and its label is one of the classes.
void ReadAll(const data::Dataset& dataset, size_t input_bytes) {
  RM_CHECK(dataset.size() >= 1, "a set without samples");
  // gzip makes at most some thousand bytes of one.
  RM_CHECK(static_cast<uint64_t>(dataset.layout().inputs[0].elements()) <= 2048 * input_bytes, "too large");
  std::vector<float> features(static_cast<size_t>(dataset.layout().inputs[0].elements()));
  for (int64_t i = 0; i < dataset.size(); ++i) {
    int64_t label = -1;
    dataset.Read(i, features.data(), &label);
    RM_CHECK(label >= 0 && label < dataset.classes(), "label ", label);
    for (const float pixel : features) RM_CHECK(pixel >= 0 && pixel <= 1, "pixel ", pixel);
  }
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 60'000;
  options.input_bytes_max = 600;
  options.live_bytes_a_byte = 8192;  // gzip
  return options;
}

std::vector<std::string> Seeds() {
  const std::string images = data::IdxFile({3, 4, 5}, std::string(60, '\x80'));
  const std::string labels = data::IdxFile({3}, std::string("\0\1\2", 3));
  return {Joined(images, labels), Joined(data::Gzip(images), data::Gzip(labels)),
          Joined(data::IdxFile({1, 1, 1}, "x"), data::IdxFile({1}, std::string(1, '\0')))};
}

std::vector<std::string> Words() {
  return {std::string("\0\0\x08\x03", 4), std::string("\0\0\x08\x01", 4), "\x1f\x8b\x08",
          std::string("\0\0\x0d\x03", 4)};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input = rm::fuzz::TextOf(data, size);
  if (size < 2) return 0;
  const size_t images_bytes = static_cast<size_t>(data[0]) + (static_cast<size_t>(data[1]) << 8);
  const absl::string_view images = input.substr(2, images_bytes);
  const absl::string_view labels = input.substr(std::min(size, 2 + images_bytes));
  rm::base::MemoryFileSystem files;
  // Whatever is compressed is called so: the name decides.
  const auto put = [&](absl::string_view name, absl::string_view bytes) {
    const bool is_gzip = absl::StartsWith(bytes, "\x1f\x8b");
    rm::data::WriteFile(files, absl::StrCat(name, is_gzip ? ".gz" : ""), bytes);
  };
  put("/d/train-images-idx3-ubyte", images);
  put("/d/train-labels-idx1-ubyte", labels);
  rm::data::pb::DataSource source;
  source.set_path("/d/train");
  source.set_format("idx");
  const auto dataset = rm::data::Dataset::Open(source, files);
  if (!dataset.ok()) {
    RM_CHECK(absl::StrContains(dataset.status().message(), "/d/train"), "which file? ",
             dataset.status().message());
    return 0;
  }
  rm::fuzz::Accepted();
  rm::fuzz::ReadAll(**dataset, size);
  return 0;
}
