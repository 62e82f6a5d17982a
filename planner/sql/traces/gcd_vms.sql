-- Google ClusterData 2011 as virtual machines: one text file a VM, CPU % and memory % every five minutes
--
-- Source: github.com/HiPro-IT/CPU-and-Memory-resource-usage-from-Google-Cluster-Data, GCD_VMs: jobs of the Google trace
-- of 2011, summed to look like VMs. A file is a VM and its name the VM's (vm_<job>_<number>); a line is five minutes, two
-- numbers with a blank between. There is no size: the scenario must assume one ([demand] assumed_cpu_cores and
-- assumed_memory_gib). There is no time either: the first line is taken as 1970-01-01 00:00 UTC.

create temp table readings (
    cpu_percent double not null check (cpu_percent between 0 and 1e4),
    memory_percent double not null check (memory_percent between 0 and 1e4)
);
comment on table readings is '{"header": false, "delimiter": " ", "named": true, "numbered": true}';

insert into usage by name
select
    $trace_id as trace_id, file as workload, make_timestamp((line - 1) * 300000000) as sampled_at,
    cpu_percent, memory_percent
from readings;

insert into workloads by name
select distinct $trace_id as trace_id, workload, 'vm' as kind from usage where trace_id = $trace_id;

insert into notes
select 'no times are recorded: the first line of each file is taken as 1970-01-01 00:00 UTC, a Thursday' from (select 1);

insert into notes
select format('{} samples are above 100 percent; they are kept, not cut off', count(*)) from readings
where cpu_percent > 100 or memory_percent > 100 having count(*) > 0;
