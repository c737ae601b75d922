#include "runtime/data/idx.h"

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"
#include "runtime/data/testing.h"

namespace rm::data {
namespace {

using base::MemoryFileSystem;

constexpr char kImages[] = "/d/train-images-idx3-ubyte";
constexpr char kLabels[] = "/d/train-labels-idx1-ubyte";

absl::StatusOr<std::unique_ptr<Dataset>> OpenTrain(const MemoryFileSystem& files,
                                                   int64_t classes = 0) {
  pb::DataSource source;
  source.set_path("/d/train");
  source.set_format("idx");
  DatasetOptions options;
  options.model.classes = classes;
  return OpenIdx(source, files, options);
}

// Opens a data set of these two files.
absl::StatusOr<std::unique_ptr<Dataset>> OpenFiles(const std::string& images,
                                                   const std::string& labels) {
  MemoryFileSystem files;
  WriteFile(files, kImages, images);
  WriteFile(files, kLabels, labels);
  return OpenTrain(files);
}

const std::string kThreeImages = IdxFile({3, 1, 2}, std::string("\x00\xff\x33\x01\x02\x80", 6));
const std::string kThreeLabels = IdxFile({3}, std::string("\x07\x00\x02", 3));

void CheckThreeSamples(const Dataset& dataset) {
  CHECK(dataset.size() == 3);
  CHECK(dataset.sample_shape() == std::vector<int64_t>{1, 1, 2});
  CHECK(dataset.layout().inputs[0].elements() == 2);
  CHECK(dataset.classes() == 8);
  const struct {
    float features[2];
    int64_t label;
  } samples[] = {{{0.0F, 1.0F}, 7}, {{0.2F, 1 / 255.0F}, 0}, {{2 / 255.0F, 128 / 255.0F}, 2}};
  for (int64_t i = 0; i < 3; ++i) {
    float features[2];
    int64_t label = -1;
    dataset.Read(i, features, &label);
    CHECK(features[0] == samples[i].features[0]);
    CHECK(features[1] == samples[i].features[1]);
    CHECK(label == samples[i].label);
  }
}

TEST_CASE("samples are read with their bytes scaled to 0…1") {
  const auto dataset = OpenFiles(kThreeImages, kThreeLabels);
  REQUIRE(dataset.ok());
  CheckThreeSamples(**dataset);
}

TEST_CASE("either file may be compressed") {
  MemoryFileSystem files;
  WriteFile(files, std::string(kImages) + ".gz", Gzip(kThreeImages));
  WriteFile(files, kLabels, kThreeLabels);
  const auto dataset = OpenTrain(files);
  REQUIRE(dataset.ok());
  CheckThreeSamples(**dataset);
}

TEST_CASE("files that are not what they should be are refused with file, place and numbers") {
  const std::string huge = IdxFile({0xffffffff, 0xffffffff, 0xffffffff}, "x");
  const struct {
    std::string images, labels;
    const char* message;
  } cases[] = {
      {"", kThreeLabels,
       "/d/train-images-idx3-ubyte: ends at offset 0, within the header of 4 bytes"},
      {kThreeImages.substr(0, 9), kThreeLabels,
       "/d/train-images-idx3-ubyte: ends at offset 9, within the header of 16 bytes"},
      {kThreeLabels, kThreeLabels,
       "its magic number at offset 0 is 0x00000801, not 0x00000803"},
      {"\x1f\x8b" + kThreeImages, kThreeLabels, "its magic number at offset 0 is 0x1f8b0000"},
      {IdxFile({3, 0, 2}, ""), kThreeLabels, "dimension 1 at offset 8 is 0"},
      {IdxFile({0, 1, 2}, ""), IdxFile({0}, ""), "dimension 0 at offset 4 is 0"},
      {IdxFile({3, 1, 2}, "12345"), kThreeLabels,
       "/d/train-images-idx3-ubyte: expected 6 bytes of data (3 × 1 × 2) after the header of 16 "
       "bytes, found 5"},
      {IdxFile({3, 1, 2}, "1234567"), kThreeLabels, "found more"},
      {kThreeImages, IdxFile({3}, "12"),
       "/d/train-labels-idx1-ubyte: expected 3 bytes of data (3) after the header of 8 bytes, "
       "found 2"},
      {kThreeImages, IdxFile({4}, "1234"),
       "/d/train-images-idx3-ubyte has 3 images, but /d/train-labels-idx1-ubyte has 4 labels"},
      // Sizes that no machine has: told from the file's length, not from a failed allocation.
      {huge, kThreeLabels, "found 1"},
      {IdxFile({0x7fffffff, 1, 1}, "x"), kThreeLabels, "expected 2147483647 bytes of data"},
  };
  for (const auto& test : cases) {
    const auto dataset = OpenFiles(test.images, test.labels);
    REQUIRE(absl::IsInvalidArgument(dataset.status()));
    CHECK_THAT(std::string(dataset.status().message()), Catch::Contains(test.message));
  }
}

TEST_CASE("a compressed file that is too short or too long is refused like a plain one") {
  for (const char* const pixels : {"12345", "1234567"}) {
    MemoryFileSystem files;
    WriteFile(files, std::string(kImages) + ".gz", Gzip(IdxFile({3, 1, 2}, pixels)));
    WriteFile(files, kLabels, kThreeLabels);
    const auto dataset = OpenTrain(files);
    REQUIRE(absl::IsInvalidArgument(dataset.status()));
    CHECK_THAT(std::string(dataset.status().message()),
               Catch::Contains("expected 6 bytes of data (3 × 1 × 2)"));
  }
}

TEST_CASE("missing labels are named") {
  MemoryFileSystem files;
  WriteFile(files, kImages, kThreeImages);
  const auto dataset = OpenTrain(files);
  REQUIRE(absl::IsNotFound(dataset.status()));
  CHECK_THAT(std::string(dataset.status().message()), Catch::Contains(kLabels));
}

TEST_CASE("labels that the model has no class for make bad records, named with file and offset") {
  MemoryFileSystem files;
  WriteFile(files, kImages, kThreeImages);
  WriteFile(files, kLabels, kThreeLabels);
  for (const int64_t classes : {0, 8, 1000}) {
    CHECK((*OpenTrain(files, classes))->bad_records().count() == 0);
  }
  const auto dataset = OpenTrain(files, 2);
  REQUIRE(dataset.ok());
  CHECK((*dataset)->size() == 3);
  CHECK((*dataset)->classes() == 1);  // of the good one, whose label is 0
  const BadRecords& bad = (*dataset)->bad_records();
  REQUIRE(bad.kept().size() == 2);
  CHECK(bad.kept()[0].ToString() ==
        "/d/train-labels-idx1-ubyte at offset 8, sample 0: field 'label': '7' is out of range: the "
        "model has 2 classes, 0 to 1 (model.params.classes)");
  CHECK(bad.kept()[1].sample == 2);
  CHECK(bad.kept()[1].offset == 10);
  CHECK_FALSE(bad.Has(1));
}

TEST_CASE("decompression ends where the header says, however much is packed behind it") {
  MemoryFileSystem files;
  const std::string bomb = IdxFile({3, 1, 2}, std::string(20'000'000, '\0'));
  WriteFile(files, std::string(kImages) + ".gz", Gzip(bomb));
  WriteFile(files, kLabels, kThreeLabels);
  const auto dataset = OpenTrain(files);
  REQUIRE(absl::IsInvalidArgument(dataset.status()));
  CHECK_THAT(std::string(dataset.status().message()), Catch::Contains("found more"));
}

TEST_CASE("a gzip file that is cut off, or has something behind its end, is refused with the place") {
  const std::string whole = Gzip(kThreeImages);
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {{whole.substr(0, whole.size() - 12), "it ends in the middle"},
               {whole.substr(0, 5), "it ends in the middle"},
               {whole + "tail", "damaged gzip file at offset"}};
  for (const auto& test : cases) {
    MemoryFileSystem files;
    WriteFile(files, std::string(kImages) + ".gz", test.bytes);
    WriteFile(files, kLabels, kThreeLabels);
    const auto dataset = OpenTrain(files);
    CHECK(absl::IsDataLoss(dataset.status()));
    CHECK_THAT(std::string(dataset.status().message()), Catch::Contains(test.message));
  }
}

}  // namespace
}  // namespace rm::data
