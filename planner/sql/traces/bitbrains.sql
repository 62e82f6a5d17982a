-- Bitbrains GWA-T-12: one CSV per VM, `;` and a tab between the fields, seconds under a header that says [ms]
--
-- Source: gwa.ewi.tudelft.nl, GWA-T-12. A file is a VM and its name the VM's; folders fastStorage and rnd are two
-- estates, a folder such as 2013-7 a month of one. CPU is the MHz of all cores, KB are 1024 bytes, memory is what
-- was actively used. Sizes are the largest ever provisioned. Files saved again with commas or tabs alone are read too.

create temp table readings (
    timestamp_ms timestamp not null check (timestamp_ms between '1970-01-01' and '2100-01-01'),
    cpu_cores double not null check (cpu_cores between 0 and 1e6),
    cpu_capacity_provisioned_mhz double check (cpu_capacity_provisioned_mhz between 0 and 1e9),
    cpu_usage_mhz double check (cpu_usage_mhz between 0 and 1e9),
    cpu_usage_percent double check (cpu_usage_percent between 0 and 1e5),
    memory_capacity_provisioned_kb double check (memory_capacity_provisioned_kb between 0 and 1e13),
    memory_usage_kb double check (memory_usage_kb between 0 and 1e13),
    disk_read_throughput_kb_s double check (disk_read_throughput_kb_s between 0 and 1e12),
    disk_write_throughput_kb_s double check (disk_write_throughput_kb_s between 0 and 1e12),
    network_received_throughput_kb_s double check (network_received_throughput_kb_s between 0 and 1e12),
    network_transmitted_throughput_kb_s double check (network_transmitted_throughput_kb_s between 0 and 1e12),
    check (coalesce(cpu_usage_mhz, cpu_usage_percent) is not null)
);
comment on table readings is '{"streamed": true, "named": true, "needed": true}';
comment on column readings.timestamp_ms is 'Timestamp|Timestamp [s]';
comment on column readings.cpu_capacity_provisioned_mhz is 'CPU capacity [MHZ]';
comment on column readings.memory_capacity_provisioned_kb is 'Memory capacity [KB]';
comment on column readings.network_received_throughput_kb_s is 'Network received [KB/s]';
comment on column readings.network_transmitted_throughput_kb_s is 'Network transmitted [KB/s]';

create temp macro vm_of(file) as regexp_replace(file, '(^|/)[0-9]{4}-[0-9]{1,2}/', '\1', 'g');

insert into usage by name
select
    $trace_id as trace_id, vm_of(file) as workload, timestamp_ms as sampled_at,
    coalesce(cpu_usage_mhz / nullif(cpu_capacity_provisioned_mhz, 0), cpu_usage_percent / 100) * cpu_cores as cpu_cores,
    memory_usage_kb / 1048576 as memory_gib,
    cpu_usage_percent as cpu_percent,
    100 * memory_usage_kb / nullif(memory_capacity_provisioned_kb, 0) as memory_percent,
    disk_read_throughput_kb_s / 1024 as disk_read_mib_per_s,
    disk_write_throughput_kb_s / 1024 as disk_write_mib_per_s,
    network_received_throughput_kb_s / 1024 as network_in_mib_per_s,
    network_transmitted_throughput_kb_s / 1024 as network_out_mib_per_s,
    cpu_cores as allocated_cpu_cores,
    memory_capacity_provisioned_kb / 1048576 as allocated_memory_gib
from readings;

insert into workloads by name
select
    $trace_id as trace_id, workload, 'vm' as kind, nullif(split_part(workload, '/', -2), '') as owner,
    max(allocated_cpu_cores) as cpu_cores, max(allocated_memory_gib) as memory_gib
from usage where trace_id = $trace_id
group by workload;
