#include "runtime/data/dataset.h"

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"
#include "runtime/data/testing.h"

namespace rm::data {
namespace {

TEST_CASE("a data source is opened by its format") {
  base::MemoryFileSystem files;
  WriteIdx(files, "/d/train", "abcdefgh", "12", 2, 2);
  pb::DataSource source;
  source.set_path("/d/train");
  source.set_format("idx");
  const auto dataset = Dataset::Open(source, files);
  REQUIRE(dataset.ok());
  CHECK((*dataset)->size() == 2);
  CHECK((*dataset)->layout().inputs[0].elements() == 4);
  CHECK((*dataset)->layout().inputs[0].name == "input");
}

TEST_CASE("an unknown format is refused with the list of known ones") {
  const base::MemoryFileSystem files;
  pb::DataSource source;
  source.set_format("parquet");
  CHECK(Dataset::Open(source, files).status() ==
        absl::InvalidArgumentError("unknown data format 'parquet'; known: idx, csv, npy, tokens"));
}

TEST_CASE("tokens are windows of a language model, after a look at the file") {
  base::MemoryFileSystem files;
  pb::DataSource source;
  source.set_path("/d/train.u16");
  source.set_format("tokens");
  CHECK(absl::IsNotFound(Dataset::Open(source, files).status()));
  WriteFile(files, "/d/train.u16", "abcdef");
  CHECK(Dataset::Open(source, files).ok());  // nobody says what the model takes
  DatasetOptions options;
  options.model.inputs = {{"x", kernels::DType::kFloat32, {2}, 0}};
  CHECK(Dataset::Open(source, files, options).status() ==
        absl::InvalidArgumentError("/d/train.u16: the format is tokens, but the model's input 'x' is "
                                   "float32 [2]; use idx, csv or npy"));
}

TEST_CASE("the formats are listed") {
  CHECK(DatasetFormats() ==
        std::vector<std::string>{"idx", "csv", "npy", "tokens"});
}

}  // namespace
}  // namespace rm::data
