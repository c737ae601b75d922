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
  CHECK((*dataset)->sample_elements() == 4);
}

TEST_CASE("an unknown format is refused with the list of known ones") {
  const base::MemoryFileSystem files;
  pb::DataSource source;
  source.set_format("parquet");
  CHECK(Dataset::Open(source, files).status() ==
        absl::InvalidArgumentError("unknown data format 'parquet'; known: idx"));
}

TEST_CASE("the formats are listed") { CHECK(DatasetFormats() == std::vector<std::string>{"idx"}); }

}  // namespace
}  // namespace rm::data
