# The admin protocol: admin_sources, and what they need beside the project's own targets. The generated code lies in the
# build tree under the name that sources include: tools/admin.capnp.h.
set(CAPNPC_SRC_PREFIX "${CMAKE_SOURCE_DIR}")
set(CAPNPC_OUTPUT_DIR "${CMAKE_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${CAPNPC_OUTPUT_DIR}")
capnp_generate_cpp(admin_schema_sources admin_schema_headers "${CMAKE_CURRENT_LIST_DIR}/admin.capnp")
set_source_files_properties(${admin_schema_sources} PROPERTIES COMPILE_OPTIONS -w)
set(admin_sources admin_client.cc admin_messages.cc admin_server.cc admin_socket.cc event_thread.cc
  ${admin_schema_sources})
# g++ 12 warns of members of a kj::Maybe that holds nothing.
set_source_files_properties(admin_server.cc admin_client.cc PROPERTIES COMPILE_OPTIONS -Wno-maybe-uninitialized)
set(admin_deps CapnProto::capnp-rpc)
set(admin_include_directories "${CAPNPC_OUTPUT_DIR}")
