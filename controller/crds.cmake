# deploy/crds as a header in the build tree, controller/policy_crd_texts.h: the program carries the CRDs that it needs.
file(GLOB crd_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/deploy/crds/*.yaml")
list(SORT crd_files)
set(crd_texts "")
foreach(file ${crd_files})
  file(READ "${file}" text)
  string(APPEND crd_texts "R\"crd(${text})crd\",\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
endforeach()
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/generated/controller/policy_crd_texts.h" @ONLY CONTENT
"// Made of deploy/crds by controller/crds.cmake.
#pragma once
#include <string_view>
namespace portcullis::controller {
inline constexpr std::string_view kPolicyCrdTexts[] = {
@crd_texts@};
}  // namespace portcullis::controller
")
