-- Azure Migrate import template: one row a server, CSV; an instant inventory with one reading of CPU and memory
--
-- Source: the import template of Azure Migrate (MicrosoftDocs, tutorial-discover-import): `*` before a header marks what
-- must be there; up to 20 disks, their headers numbered. MB and GB are powers of two there. Utilisation is percent of the
-- cores and of the memory. Network throughput is how much a link carried at that moment, not what is sent in a month: it
-- is not read as traffic.

create temp table servers (
    server_name varchar not null check (trim(server_name) <> ''),
    cores double not null check (cores between 0.01 and 1e5),
    memory_in_mb double not null check (memory_in_mb between 1 and 1e9),
    ip_addresses varchar,
    os_name varchar,
    os_architecture varchar,
    server_type varchar,
    hypervisor varchar,
    cpu_utilization_percentage double check (cpu_utilization_percentage between 0 and 100),
    memory_utilization_percentage double check (memory_utilization_percentage between 0 and 100),
    storage_in_use_in_gb double check (storage_in_use_in_gb between 0 and 1e8),
    "(?i)disk [0-9]{1,3} size ?\(in gb\)" double,
    "(?i)disk [0-9]{1,3} (read|write) ops ?\(operations per second\)" double
);
comment on column servers.server_name is 'Server|Servername|Machine name';
comment on column servers.cores is 'Number of cores';
comment on column servers.memory_in_mb is 'Memory (MB)|Memory';
comment on column servers.ip_addresses is 'IP address';
comment on column servers.cpu_utilization_percentage is 'CPU utilization (%)|CPU utilisation percentage';
comment on column servers.memory_utilization_percentage is 'Memory utilization (%)|Memory utilisation percentage';
comment on column servers.storage_in_use_in_gb is 'Storage in use (GB)';
comment on table servers is '{"needed": true}';

-- A column of each kind is there, whatever the file has.
create temp view complete as
from servers union all by name
select cast(null as double) as "Disk 0 size (In GB)", cast(null as double) as "Disk 0 read ops (operations per second)"
where false;

create temp table cells as
select *, [*columns('(?i)^disk [0-9]+ size')] as disk_sizes, [*columns('(?i)^disk [0-9]+ (read|write) ops')] as disk_ops
from complete;

create temp table sized as
select *, list_filter(disk_sizes, lambda x: x is not null) as sizes, list_filter(disk_ops, lambda x: x is not null) as ops
from cells;

-- A server that is listed twice counts once: the name is the key of an import.
create temp table once as
select distinct on (trim(server_name)) *, trim(server_name) as name from sized
order by trim(server_name), cores, memory_in_mb, cpu_utilization_percentage, memory_utilization_percentage,
    storage_in_use_in_gb, sizes, ops;

create temp macro plausible(xs, most) as list_filter(xs, lambda x: isfinite(x) and x between 0 and most);

insert into workloads by name
select
    $trace_id as trace_id, name as workload,
    case when lower(trim(server_type)) like 'physical%' then 'server' else 'vm' end as kind,
    cores as cpu_cores, memory_in_mb / 1024 as memory_gib,
    coalesce(nullif(list_sum(plausible(sizes, 1e8)), 0), storage_in_use_in_gb) as storage_gib,
    case when lower(os_architecture) similar to '.*(arm|aarch).*' then 'arm64' else 'x86_64' end as arch,
    cpu_utilization_percentage as cpu_percent_mean, memory_utilization_percentage as memory_percent_mean,
    list_sum(plausible(ops, 1e9)) as told_disk_iops
from once;

insert into notes
select format('{} servers are listed more than once; one row of each counts', count(*))
from (select 1 from sized group by trim(server_name) having count(*) > 1) having count(*) > 0;

insert into notes
select format('{} servers have a disk of no plausible size or rate: that figure is left out', count(*))
from once where len(plausible(sizes, 1e8)) < len(sizes) or len(plausible(ops, 1e9)) < len(ops) having count(*) > 0;

insert into notes
select format('{} servers have no size of disks: the storage in use stands for it', count(*))
from once where coalesce(list_sum(plausible(sizes, 1e8)), 0) = 0 and storage_in_use_in_gb is not null
having count(*) > 0;

insert into notes
select format('{} of {} servers have no CPU utilisation and are planned as allocated', n, total)
from (select count(*) filter (cpu_utilization_percentage is null) as n, count(*) as total from once) where n > 0;
