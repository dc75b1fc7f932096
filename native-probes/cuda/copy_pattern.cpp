#include "copy_pattern.h"

#include <vector>

namespace sentinel {
namespace {

// The columns of all regions are those of one, with other salts.
std::vector<Column> columns_of(const CopyBuffer& buffer) {
  std::vector<Column> columns;
  for (uint32_t number = 0; number < kRegionColumns; number++) {
    for (uint32_t lane = 0; lane < kGpuLanes; lane++)
      columns.push_back(column_of(buffer.seed, lane, buffer.first_column + number));
  }
  return columns;
}

// Where 32 lanes of a warp have their word j: one line of the buffer.
struct Line {
  uint32_t region, j, number, warp;
  const Column* columns;  // of the 32 lanes

  size_t offset(uint32_t length) const {
    return size_t{region} * length * kRegionRow + region_offset(j, number, warp, 0);
  }
  // Of the lane in the warp.
  uint32_t word(uint32_t length, uint32_t lane) const {
    return columns[lane].word(length, j) + salt_of(place_in(region, warp));
  }
};

// In the order of their addresses.
template <class Use>
void for_each_line(const CopyBuffer& buffer, const std::vector<Column>& columns, uint32_t region, Use use) {
  for (uint32_t j = 0; j < buffer.column_length(); j++) {
    for (uint32_t k = 0; k < kRegionColumns * kRegionWarps; k++) {
      const uint32_t number = k / kRegionWarps, warp = k % kRegionWarps;
      use(Line{region, j, number, warp, &columns[number * kGpuLanes + warp / 4 * 32]});
    }
  }
}

void note(CopyDifference& out, const CopyBuffer& buffer, const Line& line, uint32_t lane, uint32_t actual) {
  if (out.count++ > 0) return;
  const uint32_t length = buffer.column_length();
  out.offset = (line.offset(length) + lane) * sizeof(uint32_t);
  out.region = line.region;
  out.warp = line.warp;
  out.lane = line.warp / 4 * 32 + lane;
  out.column = buffer.first_column + line.number;
  out.expected = line.word(length, lane);
  out.actual = actual;
}

}  // namespace

void fill_copy(const CopyBuffer& buffer, uint32_t* words) {
  const uint32_t length = buffer.column_length();
  const std::vector<Column> columns = columns_of(buffer);
  for (uint32_t region = 0; region < buffer.regions; region++) {
    for_each_line(buffer, columns, region, [&](const Line& line) {
      uint32_t* out = words + line.offset(length);
      for (uint32_t lane = 0; lane < 32; lane++) out[lane] = line.word(length, lane);
    });
  }
}

CopyDifference compare_copy(const CopyBuffer& buffer, uint32_t region, const uint32_t* words) {
  const uint32_t length = buffer.column_length();
  CopyDifference out;
  for_each_line(buffer, columns_of(buffer), region, [&](const Line& line) {
    const uint32_t* in = words + line.offset(length);
    uint32_t differing = 0;
    for (uint32_t lane = 0; lane < 32; lane++) differing |= in[lane] ^ line.word(length, lane);
    if (differing == 0) return;
    for (uint32_t lane = 0; lane < 32; lane++) {
      if (in[lane] != line.word(length, lane)) note(out, buffer, line, lane, in[lane]);
    }
  });
  return out;
}

}  // namespace sentinel
